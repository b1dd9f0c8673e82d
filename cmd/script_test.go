package cmd

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fleetproof/fleetproof/producer/sarama"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"fleetproof": func() {
			kind := sarama.Kind()
			kind.Version = "v9.8.7" // the binary of a test does not know what it was built with
			Main(kind)
		},
		"bare": func() { Main() }, // built without any client
	})
}

// TestScripts plays the command as a user does: testdata/script/*.txtar.
func TestScripts(t *testing.T) {
	// Where the tests themselves were started to outlive their terminal, the commands they start would ignore a hangup, too.
	// A signal that is caught has its default again in whatever is started.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(caught) }) // when all scripts have ended
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("FLEETPROOF_UPDATE") != "",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"hangup":    hangup,
			"interrupt": interrupt,
			"listen":    listen,
			"scrape":    scrape,
		},
	})
}

// exits runs fleetproof and wants an exit code: exits CODE ARGUMENT….
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code argument...")
	}
	wantExit(ts, args[0], ts.Exec("fleetproof", args[1:]...))
}

// interrupt runs fleetproof and sends it a signal when it writes a text to standard error, and once more for every
// further text: interrupt CODE INT|TERM|HUP TEXT… -- ARGUMENT….
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP}
	separator := slices.Index(args, "--")
	if neg || separator < 3 || signals[args[1]] == nil {
		ts.Fatalf("usage: interrupt code INT|TERM|HUP text... -- argument...")
	}
	texts := args[2:separator]
	err := watch(ts, args[separator+1:], func(process *os.Process, line string) {
		if len(texts) > 0 && strings.Contains(line, texts[0]) {
			texts = texts[1:]
			ts.Check(process.Signal(signals[args[1]]))
		}
	})
	wantExit(ts, args[0], err)
	if len(texts) > 0 {
		ts.Fatalf("standard error never said %q", texts[0])
	}
}

// hangup runs fleetproof as in a terminal that is closed when it says a text: nobody reads its output any more, and it gets
// the signal from the system and from the shell. hangup CODE TEXT ARGUMENT….
func hangup(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: hangup code text argument...")
	}
	terminal, output, err := os.Pipe()
	ts.Check(err)
	command := exec.Command("fleetproof", args[2:]...)
	command.Dir = ts.MkAbs(".")
	command.Stdout, command.Stderr = output, output
	ts.Check(command.Start())
	ts.Check(output.Close())
	said := false
	for lines := bufio.NewScanner(terminal); !said && lines.Scan(); {
		said = strings.Contains(lines.Text(), args[1])
	}
	ts.Check(terminal.Close())
	for range 2 {
		ts.Check(command.Process.Signal(syscall.SIGHUP))
	}
	wantExit(ts, args[0], command.Wait())
	if !said {
		ts.Fatalf("it never said %q", args[1])
	}
}

// scrape runs fleetproof and, when it writes a text to standard error, keeps the page of its metrics in a file: scrape
// FILE TEXT ARGUMENT….
func scrape(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: scrape file text argument...")
	}
	url, scraped := "", false
	err := watch(ts, args[2:], func(_ *os.Process, line string) {
		if where, found := strings.CutPrefix(line, "metrics: "); found {
			url = where
		}
		if scraped || !strings.Contains(line, args[1]) {
			return
		}
		scraped = true
		response, err := http.Get(url)
		ts.Check(err)
		page, err := io.ReadAll(response.Body)
		ts.Check(errors.Join(err, response.Body.Close(), os.WriteFile(ts.MkAbs(args[0]), page, 0o644)))
	})
	ts.Check(err)
	if !scraped {
		ts.Fatalf("standard error never said %q", args[1])
	}
}

// watch runs fleetproof and shows every line of its standard error while it runs.
func watch(ts *testscript.TestScript, args []string, see func(process *os.Process, line string)) error {
	command := exec.Command("fleetproof", args...)
	command.Dir = ts.MkAbs(".")
	command.Stdout = ts.Stdout()
	stderr, err := command.StderrPipe()
	ts.Check(err)
	ts.Check(command.Start())
	lines := bufio.NewScanner(io.TeeReader(stderr, ts.Stderr()))
	for lines.Scan() {
		see(command.Process, lines.Text())
	}
	ts.Check(lines.Err())
	return command.Wait()
}

func wantExit(ts *testscript.TestScript, want string, err error) {
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != want {
		ts.Fatalf("exit code %d, want %s", code, want)
	}
}

// listen takes a free port and puts its address into the variable ADDRESS, until the script ends.
func listen(ts *testscript.TestScript, neg bool, args []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { listener.Close() })
	ts.Setenv("ADDRESS", listener.Addr().String())
}
