package keyringstore

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/seal"
)

const inBus = "KEYRINGSTORE_TEST_IN_BUS"

// TestGNOMEKeyring asks a real keychain, on a D-Bus session of its own, from ten processes at once.
func TestGNOMEKeyring(t *testing.T) {
	for _, tool := range []string{"dbus-run-session", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("this test needs a keychain: %v", err)
		}
	}
	home := t.TempDir()
	const script = `printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null &&
		for i in 1 2 3 4 5 6 7 8 9 10; do "$0" & done; wait`
	cmd := exec.Command("dbus-run-session", "--", "sh", "-c", script, os.Args[0])
	cmd.Env = append(os.Environ(), inBus+"=1", "HOME="+home, "XDG_RUNTIME_DIR="+home,
		"XDG_DATA_HOME="+filepath.Join(home, "data"), "XDG_CACHE_HOME="+filepath.Join(home, "cache"))
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	keys := map[string]int{}
	for _, key := range strings.Fields(string(out)) {
		if _, err := seal.ParseKey(key); err != nil {
			t.Fatalf("%v\n%s%s", err, out, said.String())
		}
		keys[key]++
	}
	if len(keys) != 1 || keys[strings.Fields(string(out))[0]] != 10 {
		t.Errorf("ten processes have %d keys, want the same one\n%s", len(keys), said.String())
	}
}

// TestMain makes this binary one of the ten processes of TestGNOMEKeyring.
func TestMain(m *testing.M) {
	if os.Getenv(inBus) == "" {
		os.Exit(m.Run())
	}
	key, err := Key("silentrefresh test").Get(context.Background(), true)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(seal.FormatKey(key))
}
