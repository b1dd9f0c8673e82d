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
	var unshown error // why help could not be shown
	parser, err := kong.New(&line,
		kong.Name("fleetproof"),
		kong.Description("Proves whether a Kafka pipeline keeps its promises when the fleet is large and the cluster is hurt."),
		kong.Writers(w.stdout, w.stderr),
		kong.Exit(func(int) { helped = true }),
		kong.Help(func(options kong.HelpOptions, ctx *kong.Context) error { // kong takes that for a mistake on the command line
			unshown = kong.DefaultHelpPrinter(options, ctx)
			return unshown
		}),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return w.complain(exitMistake, fmt.Errorf("read the command line: %w", err))
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if unshown != nil {
		return w.complain(unwritten(unshown))
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

// print writes all that a command has to say to standard output, and returns how to exit.
func (w world) print(text string) (int, error) {
	if _, err := io.WriteString(w.stdout, text); err != nil {
		return unwritten(err)
	}
	return exitPass, nil
}

// unwritten is how to exit when standard output takes nothing.
func unwritten(err error) (int, error) {
	return exitEnvironment, fmt.Errorf("write to standard output: %w", err)
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
