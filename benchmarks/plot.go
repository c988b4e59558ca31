package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// A chart is a line chart with a linear x axis that starts at 0.
type chart struct {
	title, x, y string
	xMax        float64
	yMin, yMax  float64
	logY        bool // powers of ten
	series      []series
}

type series struct {
	name   string
	points []point
}

type point struct{ x, y float64 }

// The plane of the chart, in pixels, with room for labels around it and the legend on the right.
const (
	left, top       = 70, 40
	width, height   = 560, 300
	canvasW, canvas = left + width + 170, top + height + 60
)

// Colours that people with colour blindness can tell apart (Okabe and Ito). The first series is the one to see.
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#555555"}

// svg draws the chart. It is the same bytes for the same figures.
func (c chart) svg() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", canvasW, canvas)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", canvasW, canvas)
	text(&b, left, 22, "start", "14", c.title)
	text(&b, left+width/2, top+height+42, "middle", "12", c.x)
	text(&b, left, top-6, "end", "12", c.y)
	c.axes(&b)
	for i := len(c.series) - 1; i >= 0; i-- { // the first on top
		c.line(&b, c.series[i], colours[i%len(colours)], i == 0)
		text(&b, left+width+34, top+14+20*i, "start", "12", c.series[i].name)
		fmt.Fprintf(&b, `<path d="M%d %dh20" stroke="%s" stroke-width="3"/>`+"\n", left+width+8, top+10+20*i, colours[i%len(colours)])
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (c chart) axes(b *strings.Builder) {
	for i := range 6 {
		v := c.xMax * float64(i) / 5
		x := c.px(v)
		fmt.Fprintf(b, `<path d="M%.1f %dv%d" stroke="#dddddd"/>`+"\n", x, top, height)
		text(b, int(x), top+height+18, "middle", "12", figure(v))
	}
	for _, v := range c.yTicks() {
		y := c.py(v)
		fmt.Fprintf(b, `<path d="M%d %.1fh%d" stroke="#dddddd"/>`+"\n", left, y, width)
		text(b, left-8, int(y)+4, "end", "12", figure(v))
	}
}

func (c chart) yTicks() []float64 {
	var ticks []float64
	if c.logY {
		for v := c.yMin; v <= c.yMax*1.001; v *= 10 {
			ticks = append(ticks, v)
		}
		return ticks
	}
	for i := range 6 {
		ticks = append(ticks, c.yMin+(c.yMax-c.yMin)*float64(i)/5)
	}
	return ticks
}

func (c chart) line(b *strings.Builder, s series, colour string, first bool) {
	if len(s.points) == 0 {
		return
	}
	b.WriteString(`<path fill="none" d="`)
	for i, p := range s.points {
		if p.x <= c.xMax {
			fmt.Fprintf(b, "%s%.1f %.1f", verdict(i == 0, "M", "L"), c.px(p.x), c.py(p.y))
		}
	}
	fmt.Fprintf(b, `" stroke="%s" stroke-width="%s"/>`+"\n", colour, verdict(first, "2.5", "1.3"))
}

func (c chart) px(x float64) float64 { return left + width*x/c.xMax }

// py maps y to pixels; what is outside the chart lies on its edge.
func (c chart) py(y float64) float64 {
	y = min(max(y, c.yMin), c.yMax)
	if c.logY {
		return top + height*(1-math.Log10(y/c.yMin)/math.Log10(c.yMax/c.yMin))
	}
	return top + height*(1-(y-c.yMin)/(c.yMax-c.yMin))
}

func text(b *strings.Builder, x, y int, anchor, size, s string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="%s" font-size="%s" fill="#222222">%s</text>`+"\n",
		x, y, anchor, size, html.EscapeString(s))
}
