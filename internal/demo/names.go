package main

import "strings"

// oddNames are those that break careless programs; they stand for one row in five.
var oddNames = [...]string{"N/A", "", "  Ken  ", "José Álvarez", "Müller 李", "O'Brien, Kate", `蘇 "小蘇" 小姐`, "🌸小花",
	"Farah binti Ismail", "Tan Wei Ming", "Budi Santoso"}

var (
	surnames = [...]rune{'陳', '林', '黃', '張', '李', '王', '吳', '劉', '蔡', '楊', '許', '鄭', '謝', '郭', '洪', '曾', '邱', '廖', '賴', '周'}
	given    = [...]rune{'家', '怡', '志', '雅', '俊', '淑', '心', '宗', '美', '冠', '宇', '佳', '翰', '品', '婷', '豪', '文', '欣', '嘉', '涵'}
	stores   = [...]string{"", "中環店", "信義店", "板橋店", "Orchard", "Mid Valley"}
	tags     = [...]string{"VIP", "會員", "新品", "黑卡", "買過保養", "週年慶", "Line好友", `"九折"`, "台北,信義店"}
)

func (g *generator) name() string {
	if g.chance(20) {
		return pick(g, oddNames[:])
	}
	return string([]rune{pick(g, surnames[:]), pick(g, given[:]), pick(g, given[:])})
}

// tags is up to four tags with commas between them; one tag has a comma and
// one has quotes.
func (g *generator) tags() string {
	var list []string
	for _, i := range g.rng.Perm(len(tags))[:g.rng.IntN(5)] {
		list = append(list, tags[i])
	}
	return strings.Join(list, ",")
}
