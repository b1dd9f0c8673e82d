package broker

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ask sends one request over conn and waits for its response, until ctx ends. After an error the connection is of no
// further use.
func ask(ctx context.Context, conn net.Conn, request kmsg.Request) (kmsg.Response, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	const correlation = 1
	formatter := kmsg.NewRequestFormatter(kmsg.FormatterClientID("fleetproof"))
	if _, err := conn.Write(formatter.AppendRequest(nil, request, correlation)); err != nil {
		return nil, fmt.Errorf("ask %s: %w", kmsg.NameForKey(request.Key()), orCause(ctx, err))
	}
	response, err := readResponse(conn, request, correlation)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", kmsg.NameForKey(request.Key()), orCause(ctx, err))
	}
	return response, nil
}

func readResponse(conn net.Conn, request kmsg.Request, correlation int32) (kmsg.Response, error) {
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(size[:])
	if length > MaxFrame {
		return nil, fmt.Errorf("response of %d bytes", length)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(conn, body); err != nil {
		return nil, err
	}
	reader := kbin.Reader{Src: body}
	if got := reader.Int32(); got != correlation {
		return nil, fmt.Errorf("response to another request: correlation id %d instead of %d", got, correlation)
	}
	response := request.ResponseKind()
	if response.IsFlexible() && response.Key() != int16(kmsg.ApiVersions) { // whose header never has tags (KIP-511)
		kmsg.SkipTags(&reader)
	}
	if err := response.ReadFrom(reader.Src); err != nil {
		return nil, err
	}
	return response, nil
}

// orCause names the end of ctx where it is why the connection gave an error.
func orCause(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		return cause
	}
	return err
}
