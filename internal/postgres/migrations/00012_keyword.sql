-- +goose Up
-- A keyword may also say that the customer asks for a human (CNV-11).
ALTER TABLE keyword_rules
  ADD COLUMN ask_human boolean NOT NULL DEFAULT false,
  DROP CONSTRAINT keyword_rules_check,
  ADD CONSTRAINT keyword_rules_does CHECK (reply <> '' OR assign_to IS NOT NULL OR ask_human);

-- +goose Down
DELETE FROM keyword_rules WHERE reply = '' AND assign_to IS NULL;
ALTER TABLE keyword_rules DROP CONSTRAINT keyword_rules_does, ADD CONSTRAINT keyword_rules_check CHECK (reply <> '' OR assign_to IS NOT NULL), DROP COLUMN ask_human;
