package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// mergeWithin is how long it may take to merge some profiles.
const mergeWithin = time.Minute

// profile plays fleetproof at each of the rates, and writes where the processor time went to the file by which the compiler
// knows what of it is hot (https://go.dev/doc/pgo). Whether a rate was kept does not matter. The file names functions and their
// lines, and no place on this machine. It need not be made anew for every change: the compiler passes over what it does not find.
func (b *bench) profile(file string) func(context.Context, io.Writer) error {
	return func(ctx context.Context, _ io.Writer) error {
		merge := []string{"tool", "pprof", "-proto", "-symbolize=none"}
		for _, rate := range b.rates {
			part := filepath.Join(b.folder, strconv.Itoa(rate)+".pprof")
			if _, err := b.verdict(ctx, b.settings(usual(rate)), "--cpu-profile", part); err != nil {
				return err
			}
			merge = append(merge, part)
		}
		merging, cancel := context.WithTimeout(ctx, mergeWithin)
		defer cancel()
		pprof := command(merging, "go", merge...)
		pprof.Stderr = b.progress
		merged, err := pprof.Output()
		if err != nil {
			return fmt.Errorf("go tool pprof: %w", errors.Join(err, context.Cause(merging)))
		}
		placeless, err := withoutPaths(merged)
		if err != nil {
			return fmt.Errorf("read the merged profile: %w", err)
		}
		return os.WriteFile(file, placeless, 0o644)
	}
}

// stringTable is the field of a profile that has all its strings (https://github.com/google/pprof/blob/main/proto/profile.proto).
const stringTable = 6

// withoutPaths empties every string of a profile that is an absolute path: those of the program and of its libraries. The
// files of the functions are none, in a program that was built with -trimpath.
func withoutPaths(profile []byte) ([]byte, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(profile))
	if err != nil {
		return nil, err
	}
	rest, err := io.ReadAll(zipped)
	if err != nil {
		return nil, err
	}
	var without []byte
	for len(rest) > 0 {
		number, kind, size := protowire.ConsumeField(rest)
		if size < 0 {
			return nil, protowire.ParseError(size)
		}
		field := rest[:size]
		if number == stringTable && kind == protowire.BytesType {
			_, _, tag := protowire.ConsumeTag(field)
			if text, _ := protowire.ConsumeString(field[tag:]); filepath.IsAbs(text) {
				field = protowire.AppendString(protowire.AppendTag(nil, number, kind), "")
			}
		}
		without, rest = append(without, field...), rest[size:]
	}
	var again bytes.Buffer
	writer := gzip.NewWriter(&again)
	if _, err := writer.Write(without); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return again.Bytes(), nil
}
