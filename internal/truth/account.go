package truth

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/big"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
)

// Account is a channel account in omniflow with its twin in the simulators.
type Account struct {
	ID         string // ours
	Channel    string
	ExternalID string  // the provider's
	Rate       float64 // messages per second; 0 is the channel's default
}

// NewTwin is a simulated account with ids that no other run has: a database
// may keep those of earlier runs. perSecond is what the provider allows, in
// messages; 0 is the channel's default.
func NewTwin(channel string, perSecond float64) simulator.Account {
	a := simulator.Account{
		Channel: simulator.Channel(channel), ExternalID: digits(15), Token: Random(24), Secret: Random(16),
		AppID: digits(15), RatePerSecond: perSecond,
	}
	switch channel {
	case "line":
		a.ExternalID, a.AppID = "U"+Random(16), ""
	case "whatsapp":
		a.WABAID, a.DisplayPhoneNumber = digits(15), "886"+digits(9)
	}
	return a
}

// Connect registers twin with omniflow, as an account of the team with the
// rates of the twin, and with the simulators, whose webhooks go to our API.
func (s Simulators) Connect(ctx context.Context, platform *apiclient.Client, teamID, apiURL, name string, twin simulator.Account) (Account, error) {
	wanted := apiclient.NewAccount{
		Channel: string(twin.Channel), Name: name, ExternalID: twin.ExternalID, WABAID: twin.WABAID,
		Secrets: apiclient.Secrets{Token: twin.Token, AppSecret: twin.Secret, AppID: twin.AppID, VerifyToken: Random(8)},
	}
	if twin.RatePerSecond > 0 {
		wanted.RatePerSecond = &twin.RatePerSecond
	}
	if twin.MulticastPerSecond > 0 {
		wanted.MulticastPerSecond = &twin.MulticastPerSecond
	}
	ours, err := platform.CreateAccount(ctx, teamID, wanted)
	if err != nil {
		return Account{}, fmt.Errorf("create %s account: %w", twin.Channel, err)
	}
	twin.WebhookURL = apiURL + ours.WebhookPath
	if err := s.AddAccount(ctx, twin); err != nil {
		return Account{}, fmt.Errorf("create %s account: %w", twin.Channel, err)
	}
	return Account{ours.ID, string(twin.Channel), twin.ExternalID, twin.RatePerSecond}, nil
}

// Random is n random bytes in hexadecimal.
func Random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// digits is a random number of n digits.
func digits(n int) string {
	least := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n-1)), nil)
	d, err := rand.Int(rand.Reader, new(big.Int).Mul(least, big.NewInt(9)))
	if err != nil {
		panic(err) // the system has no randomness: never
	}
	return d.Add(d, least).String()
}
