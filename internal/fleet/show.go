package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/seal"
)

// envKey is the environment variable where all stores look for their key.
const envKey = "SILENTREFRESH_KEY"

// run plays the scenes that names lists, or all, on one engine, or on all.
func run(ctx context.Context, out io.Writer, o options, engine string, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(scenes, func(s scene) bool { return s.name == name }) {
			return fmt.Errorf("there is no scene %q", name)
		}
	}
	engines := kinds
	if engine != "" {
		k, ok := kindOf(engine)
		if !ok {
			return fmt.Errorf("there is no engine %q", engine)
		}
		engines = []kind{k}
	}
	os.Setenv(envKey, seal.FormatKey(seal.NewKey()))
	p := &show{options: o, ctx: ctx, out: out, engines: engines}
	for _, sc := range scenes {
		if len(names) > 0 && !slices.Contains(names, sc.name) {
			continue
		}
		if err := p.play(sc); err != nil {
			return err
		}
	}
	p.figures.print(out, engines)
	if len(p.broken) > 0 {
		return fmt.Errorf("promises were broken in %s", strings.Join(p.broken, ", "))
	}
	return nil
}

// A show is scenes on engines.
type show struct {
	options
	ctx     context.Context
	out     io.Writer
	engines []kind
	figures figures
	broken  []string
}

// play plays a scene on all engines. Where that is at once, it prints what each has to say when all have ended.
func (p *show) play(sc scene) error {
	kept, errs := make([]bool, len(p.engines)), make([]error, len(p.engines))
	said := make([]bytes.Buffer, len(p.engines))
	var all sync.WaitGroup
	for i, k := range p.engines {
		if p.together {
			all.Go(func() { kept[i], errs[i] = p.playOn(sc, k, &said[i]) })
		} else {
			kept[i], errs[i] = p.playOn(sc, k, p.out)
		}
	}
	all.Wait()
	for i, k := range p.engines {
		said[i].WriteTo(p.out)
		if errs[i] == nil && !kept[i] {
			p.broken = append(p.broken, sc.name+" on "+k.title)
		}
	}
	return errors.Join(errs...)
}

func (p *show) playOn(sc scene, k kind, out io.Writer) (kept bool, err error) {
	start := time.Now()
	if why := sc.without[k.name]; why != "" {
		fmt.Fprintf(out, "%s, on %s: left out, because %s\n\n", sc.name, k.title, why)
		return true, nil
	}
	fmt.Fprintf(out, "%s, on %s: %s\n", sc.name, k.title, sc.about)
	s, err := newStage(p.ctx, out, p.options, k)
	if err != nil {
		return false, fmt.Errorf("%s on %s: %w", sc.name, k.title, err)
	}
	defer s.close()
	s.scene, s.figures = sc.name, &p.figures
	if err := sc.play(s); err != nil {
		return false, fmt.Errorf("%s on %s: %w", sc.name, k.title, err)
	}
	fmt.Fprintf(out, "  took %.1f s\n\n", time.Since(start).Seconds())
	return !s.broken, nil
}
