package omniflow

import (
	"net/url"
	"regexp"
	"strings"
)

// Links counts links in texts: to the team's own site and to any other. Both
// are shopping links of the report (BRD-15).
type Links struct {
	Official int
	Other    int
}

var linkPattern = regexp.MustCompile(`(?i)https?://[^\s<>"'，。、！？；：（）「」『』【】《》\x{3000}]+`)

// CountLinks counts the links in the texts and captions of contents. domains are those of
// the team's site; a subdomain belongs to its domain. The same link twice
// counts twice.
func CountLinks(contents []Content, domains []string) Links {
	var out Links
	for _, c := range Expand(contents) {
		for _, link := range linkPattern.FindAllString(c.Text, -1) {
			u, err := url.Parse(link)
			switch {
			case err != nil || u.Hostname() == "":
			case ofSite(u.Hostname(), domains):
				out.Official++
			default:
				out.Other++
			}
		}
	}
	return out
}

func ofSite(host string, domains []string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, d := range domains {
		if host == d || strings.HasSuffix(host, "."+d) {
			return true
		}
	}
	return false
}

var domainPattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$`)

// ParseDomain reads the domain of a site, such as shop.example.com; an
// address with a scheme or a path is refused with input_invalid.
func ParseDomain(s string) (string, *Refusal) {
	d := strings.ToLower(strings.TrimSpace(s))
	if len(d) > 253 || !domainPattern.MatchString(d) {
		return "", Refuse(InvalidInput, "BRD-15", "a domain looks like shop.example.com")
	}
	return d, nil
}
