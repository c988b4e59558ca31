//go:build !linux

package main

import (
	"errors"
	"strings"
)

// A stage is where scenes are played: on Linux alone.
type stage struct {
	dir, tool string
	env       []string
	text      strings.Builder
	err       error
}

type scene struct{}

func (s *stage) scene(...string) *scene {
	s.err = errors.New("terminals are made on Linux alone")
	return &scene{}
}

func (*scene) types(string, string) {}
func (*scene) sees(string)          {}
func (*scene) shows(string)         {}
func (*scene) ends()                {}
func (*scene) interrupted(string)   {}
