package main

import (
	"fmt"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// country is where a number belongs and how people there write it: '#' stands
// for a digit of the national number, and n for the leading zero where there is one.
type country struct {
	code    string
	calling string // with +, without the plus
	mobile  string // '#' is any digit
	percent int
	habits  []string
}

// countries are those of the console's customers with their shares.
var countries = [...]country{
	{"TW", "886", "9########", 56, []string{"+886-###-###-###", "0###-###-###", "0#########", "+886 ### ### ###", "886#########", "(0###) ######"}},
	{"HK", "852", "########", 25, []string{"+852 #### ####", "852########", "#### ####", "+852########", "########"}},
	{"SG", "65", "########", 7, []string{"+65 #### ####", "65########", "########", "+65########"}},
	{"MY", "60", "1########", 6, []string{"60#########", "0##-#######", "+60 ##-### ####"}},
	{"ID", "62", "8#########", 3, []string{"+62 ###-###-####", "62##########", "0##########"}},
	{"MO", "853", "6#######", 3, []string{"########", "+853 #### ####"}},
}

// phone makes a mobile number that nobody has: its country, the number as
// somebody wrote it, and its digits with the calling code.
func (g *generator) phone() (code, written, digits string) {
	c := g.country()
	for {
		national := g.fill(c.mobile)
		digits = c.calling + national
		number, err := phonenumbers.Parse("+"+digits, c.code)
		if err != nil || !mobile(number, c.code) || !g.first(digits) {
			continue
		}
		return c.code, g.write(pick(g, c.habits), national), digits
	}
}

func (g *generator) country() country {
	draw := g.rng.IntN(100)
	for _, c := range countries {
		if draw < c.percent {
			return c
		}
		draw -= c.percent
	}
	return countries[0]
}

// mobile says whether a number can have WhatsApp.
func mobile(n *phonenumbers.PhoneNumber, country string) bool {
	kind := phonenumbers.GetNumberType(n)
	return phonenumbers.IsValidNumberForRegion(n, country) &&
		(kind == phonenumbers.MOBILE || kind == phonenumbers.FIXED_LINE_OR_MOBILE)
}

// fill puts random digits in the place of '#'.
func (g *generator) fill(pattern string) string {
	return strings.Map(func(r rune) rune {
		if r == '#' {
			return rune('0' + g.rng.IntN(10))
		}
		return r
	}, pattern)
}

// write puts the digits of a number into a habit, one in a hundred with the
// full-width digits of a Chinese keyboard.
func (g *generator) write(habit, national string) string {
	wide := g.chance(1)
	var out strings.Builder
	for _, r := range habit {
		if r == '#' {
			r, national = rune(national[0]), national[1:]
		}
		if wide && r >= '0' && r <= '9' {
			r += '０' - '0'
		}
		out.WriteRune(r)
	}
	if national != "" {
		panic(fmt.Sprintf("habit %q has no place for %q", habit, national)) // a bug in the table above
	}
	return out.String()
}
