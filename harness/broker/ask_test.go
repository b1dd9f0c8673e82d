package broker

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestAskOfAStrangeServer asks servers that read the request and answer these bytes.
func TestAskOfAStrangeServer(t *testing.T) {
	tests := []struct {
		name, answer, want string
	}{
		{"nothing", "", "ask ApiVersions: EOF"},
		{"half a length", "\x00\x00", "ask ApiVersions: unexpected EOF"},
		{"huge", "\x7f\xff\xff\xff", "ask ApiVersions: response of 2147483647 bytes"},
		{"cut short", "\x00\x00\x00\x09\x00", "ask ApiVersions: unexpected EOF"},
		{"another request's", "\x00\x00\x00\x04\x00\x00\x00\x07", "ask ApiVersions: response to another request: correlation id 7 instead of 1"},
		{"too short", "\x00\x00\x00\x04\x00\x00\x00\x01", "ask ApiVersions: response did not contain enough data to be valid"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client, server := net.Pipe()
			defer client.Close()
			go func() {
				defer server.Close()
				_, _ = server.Read(make([]byte, 100))
				_, _ = io.WriteString(server, test.answer)
			}()
			_, err := ask(t.Context(), client, kmsg.NewPtrApiVersionsRequest())
			require.EqualError(t, err, test.want)
		})
	}
}

func TestAskEndsWithItsContext(t *testing.T) {
	for _, reads := range []bool{false, true} {
		client, server := net.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if reads {
				_, _ = server.Read(make([]byte, 100))
			}
			cancel()
		}()
		_, err := ask(ctx, client, kmsg.NewPtrApiVersionsRequest())
		require.EqualError(t, err, "ask ApiVersions: context canceled")
		client.Close()
		server.Close()
	}
}
