package generator

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/bufbuild/protocompile"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// schema is the message of reading.proto, compiled from the file as it is published: the tests are held against that, and
// not against code that was once generated from it.
func schema(t testing.TB) protoreflect.MessageDescriptor {
	t.Helper()
	compiler := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{})}
	files, err := compiler.Compile(t.Context(), "reading.proto")
	require.NoError(t, err)
	found, err := files.AsResolver().FindDescriptorByName("fleetproof.v1.Reading")
	require.NoError(t, err)
	return found.(protoreflect.MessageDescriptor)
}

// content is what a message says, by the names of its fields.
type content map[protoreflect.Name]any

// constant is the name of a value of an enumeration.
type constant string

// message is the reading as the published schema has it.
func message(t testing.TB, published protoreflect.MessageDescriptor, reading Reading) proto.Message {
	t.Helper()
	values := []content{}
	for _, v := range reading.Values {
		values = append(values, content{"sensor": v.Sensor, "value": v.Value, "unit": v.Unit, "status": constant(v.Status)})
	}
	place := reading.Location
	m := dynamicpb.NewMessage(published)
	fill(t, m, content{
		"device":   reading.Device,
		"time":     content{"seconds": reading.Time.Unix(), "nanos": int32(reading.Time.Nanosecond())},
		"location": content{"building": int32(place.Building), "floor": int32(place.Floor), "room": int32(place.Room)},
		"readings": values,
		"status":   constant(reading.Status),
	})
	return m
}

// fill sets all fields of a message. One that the content does not have, or that the message does not, is an error: the
// schema and the generator have drifted apart.
func fill(t testing.TB, m protoreflect.Message, all content) {
	t.Helper()
	fields := m.Descriptor().Fields()
	require.Equal(t, len(all), fields.Len(), "fields of %s", m.Descriptor().FullName())
	for name, value := range all {
		field := fields.ByName(name)
		require.NotNil(t, field, "%s has no %s", m.Descriptor().FullName(), name)
		switch value := value.(type) {
		case content:
			fill(t, m.Mutable(field).Message(), value)
		case []content:
			list := m.Mutable(field).List()
			for _, each := range value {
				fill(t, list.AppendMutable().Message(), each)
			}
		case constant:
			number := field.Enum().Values().ByName(protoreflect.Name("STATUS_" + strings.ToUpper(string(value))))
			require.NotNil(t, number, "%s has no %s", field.Enum().FullName(), value)
			m.Set(field, protoreflect.ValueOfEnum(number.Number()))
		default:
			m.Set(field, protoreflect.ValueOf(value))
		}
	}
}

// The reading is what the JSON says, so that all encodings say the same.
func TestPayloadIsWhatProtobufWrites(t *testing.T) {
	published := schema(t)
	for name, spec := range map[string]Spec{"busy": busySpec(100), "awkward": awkwardSpec(50)} {
		t.Run(name, func(t *testing.T) {
			text, binary := New(spec), New(spec.as(Protobuf))
			due := all(text)
			require.Greater(t, len(due), 900)
			var payload []byte
			for _, d := range due {
				payload, _ = text.Append(payload[:0], d)
				var reading Reading
				require.NoError(t, json.Unmarshal(payload, &reading))
				want := message(t, published, reading)
				written, err := proto.MarshalOptions{Deterministic: true}.Marshal(want)
				require.NoError(t, err)

				payload, _ = binary.Append(payload[:0], d)
				require.Equal(t, written, payload, "%+v", reading)
				got := dynamicpb.NewMessage(published)
				require.NoError(t, proto.Unmarshal(payload, got))
				require.True(t, proto.Equal(want, got), "%s instead of %s", got, want)
			}
		})
	}
}

// A status more in the schema would be one that no reader ever sees.
func TestSchemaHasTheStatuses(t *testing.T) {
	want := []string{"STATUS_UNSPECIFIED"}
	for _, status := range statuses {
		want = append(want, "STATUS_"+strings.ToUpper(status))
	}
	var got []string
	for values, i := schema(t).Fields().ByName("status").Enum().Values(), 0; i < values.Len(); i++ {
		got = append(got, string(values.ByNumber(protoreflect.EnumNumber(i)).Name()))
	}
	assert.Equal(t, want, got)
}
