package customercsv

import (
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"omniflow/internal/omniflow"
)

// ParseMobile reads a mobile number as people write it and gives it as E.164.
// country (ISO, or "") places a number without a plus, also one that already
// begins with that country's calling code. Digits may be full-width.
//
// A number of a length that the country does not have is phone_invalid. One
// of the right length in a range that is not known to be assigned is taken:
// ranges are opened faster than tables are printed, and the provider will
// tell. A personal number (Taiwan's 099) follows its owner and counts as
// mobile; a known landline, pager or free line does not.
//
// Reasons: country_required, phone_invalid, phone_not_mobile; "" for none.
func ParseMobile(cell, country string) (string, omniflow.Code) {
	if rest, ok := strings.CutPrefix(cell, "00"); ok {
		cell = "+" + rest // how most of the world dials abroad; no national number begins so
	}
	plus := strings.HasPrefix(cell, "+") || strings.HasPrefix(cell, "＋")
	if strings.IndexFunc(cell, unicode.IsDigit) < 0 || strings.IndexFunc(cell, unicode.IsLetter) >= 0 {
		return "", omniflow.PhoneInvalid // also every spelling of an extension
	}
	if !plus && country == "" {
		return "", omniflow.CountryRequired
	}
	number, err := phonenumbers.Parse(cell, country)
	if err != nil || number.GetExtension() != "" || !phonenumbers.IsPossibleNumber(number) {
		return "", omniflow.PhoneInvalid
	}
	switch phonenumbers.GetNumberType(number) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE, phonenumbers.PERSONAL_NUMBER:
		return phonenumbers.Format(number, phonenumbers.E164), ""
	case phonenumbers.UNKNOWN:
		if !longAsMobile(number) {
			return "", omniflow.PhoneInvalid
		}
		return phonenumbers.Format(number, phonenumbers.E164), ""
	}
	return "", omniflow.PhoneNotMobile
}

// longAsMobile says whether a number has as many digits as its country's
// mobile numbers.
func longAsMobile(number *phonenumbers.PhoneNumber) bool {
	example := phonenumbers.GetExampleNumberForType(phonenumbers.GetRegionCodeForNumber(number), phonenumbers.MOBILE)
	if example == nil { // an unassigned number has no region of its own: any of its calling code
		example = phonenumbers.GetExampleNumberForType(phonenumbers.GetRegionCodeForCountryCode(int(number.GetCountryCode())), phonenumbers.MOBILE)
	}
	return example != nil && len(phonenumbers.GetNationalSignificantNumber(number)) == len(phonenumbers.GetNationalSignificantNumber(example))
}

// KnownCountry says whether country is the ISO code of one that has numbers.
func KnownCountry(country string) bool {
	return len(country) == 2 && phonenumbers.GetCountryCodeForRegion(country) != 0
}
