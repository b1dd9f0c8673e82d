package cmd

import (
	"errors"
	"fmt"
	"net"
	"strconv"
)

// This file has the flags whose values have rules of their own, so that a wrong one is a mistake of the command line
// before anything else is looked at.

// outFolder is the folder for results; empty where nobody asks for one.
type outFolder string

// UnmarshalText takes what was given. An empty name is most likely a variable of a shell that is not set.
func (f *outFolder) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("must not be empty: name a folder, or leave the flag away")
	}
	*f = outFolder(text)
	return nil
}

// listenAddress is a HOST:PORT to listen on; empty where nobody asks for it.
type listenAddress string

// UnmarshalText takes an address that could be listened on.
func (a *listenAddress) UnmarshalText(text []byte) error {
	_, port, err := net.SplitHostPort(string(text))
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("want HOST:PORT with a port from 0, for any that is free, to 65535, such as 127.0.0.1:9090, got %q", text)
	}
	*a = listenAddress(text)
	return nil
}

// newFile is a file to be written; empty where nobody asks for one.
type newFile string

// UnmarshalText takes what was given.
func (f *newFile) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("must not be empty: name a file, or leave the flag away")
	}
	*f = newFile(text)
	return nil
}
