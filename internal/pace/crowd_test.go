package pace

import (
	"testing"
	"time"
)

func TestF21_LoginsThatComeTogether(t *testing.T) {
	const life = 15 * time.Minute // a hundredth of it is 9 s
	start := time.Now()
	var c Crowd
	for _, login := range []struct {
		at   time.Duration
		life time.Duration
		want bool
	}{
		{0, life, false},
		{0, life, true},
		{time.Second, life, true},
		{9 * time.Second, life, true},
		{18 * time.Second, life, false},
		{26 * time.Second, life, true},
		{25 * time.Second, life, true}, // overtaken
		{time.Hour, life, false},
		{time.Hour, 0, false}, // of unknown lifetime
		{time.Hour + time.Second, time.Minute, false},
	} {
		if got := c.Join(start.Add(login.at), login.life); got != login.want {
			t.Errorf("after %v, with a token of %v: %v", login.at, login.life, got)
		}
	}
}
