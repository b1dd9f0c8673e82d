package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/producer"
)

// world is all that a command touches besides files.
type world struct {
	stdout, stderr io.Writer
	env            func(name string) (string, bool)
	kinds          []producer.Kind // the clients that can be put under test
}

// commands is the command line.
type commands struct {
	Run      runCommand      `cmd:"" help:"Play scenarios and judge them."`
	Plan     planCommand     `cmd:"" help:"Show what a scenario resolves to and what would happen. Starts nothing."`
	Validate validateCommand `cmd:"" help:"Check scenario files and report every mistake. Starts nothing."`
	Judge    judgeCommand    `cmd:"" help:"Judge an old run again, from its evidence."`
	List     listCommand     `cmd:"" help:"List the scenarios that come with fleetproof."`
	Explain  explainCommand  `cmd:"" help:"Say what a metric, a kind of fault, a sensor, a client or a verdict is."`
	Version  versionCommand  `cmd:"" help:"Show the versions in use."`
}

// command is one of the commands. It says how to exit, and what went wrong if anything did.
type command interface {
	execute(w world) (code int, err error)
}

// execute parses a command line, carries it out and returns the exit code.
func execute(args []string, w world) int {
	var line commands
	helped := false
	help := &checked{Writer: w.stdout}
	parser, err := kong.New(&line,
		kong.Name("fleetproof"),
		kong.Description("Proves whether a Kafka pipeline keeps its promises when the fleet is large and the cluster is hurt."),
		kong.Writers(help, w.stderr),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return w.complain(exitMistake, fmt.Errorf("read the command line: %w", err))
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if help.err != nil {
		return w.complain(exitEnvironment, fmt.Errorf("write to standard output: %w", help.err))
	}
	if helped {
		return exitPass
	}
	if err != nil {
		return w.complain(exitMistake, fmt.Errorf("%w; see fleetproof --help", err))
	}
	selected, _ := parsed.Selected().Target.Addr().Interface().(command)
	code, err := selected.execute(w)
	return w.complain(code, err)
}

// checked keeps the first error of a writer, where whoever writes to it drops them (package pprof) or takes them for something else
// (package kong).
type checked struct {
	io.Writer
	err error
}

func (c *checked) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	if c.err == nil {
		c.err = err
	}
	return n, err
}

// print writes all that a command has to say to standard output, and returns how to exit.
func (w world) print(text string) (int, error) {
	if _, err := io.WriteString(w.stdout, text); err != nil {
		return exitEnvironment, fmt.Errorf("write to standard output: %w", err)
	}
	return exitPass, nil
}

// complain tells an error, if there is one, and returns the code.
func (w world) complain(code int, err error) int {
	var mistakes harness.Mistakes
	switch {
	case err == nil:
	case errors.As(err, &mistakes):
		// Each line begins with file:line:column, which editors and CI servers turn into links.
		fmt.Fprintf(w.stderr, "%v\n", err)
	default:
		fmt.Fprintf(w.stderr, "fleetproof: %v\n", err)
	}
	return code
}

// coloured says whether a writer shows colours: it is a terminal, and nobody asked for none (https://no-color.org).
func (w world) coloured(out io.Writer) bool {
	none, _ := w.env("NO_COLOR")
	return none == "" && w.terminal(out)
}

// terminal says whether a writer is a terminal that can move its cursor.
func (w world) terminal(out io.Writer) bool {
	file, isFile := out.(*os.File)
	kind, _ := w.env("TERM")
	return isFile && kind != "dumb" && term.IsTerminal(int(file.Fd()))
}
