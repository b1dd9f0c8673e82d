package generator

import (
	"encoding/hex"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The lines are literal: another process, another machine, another day must write the same. Whoever changes them changes
// every recorded run's replay.
func TestPayloadsAreTheSameInEveryProcess(t *testing.T) {
	g := New(busySpec(100))
	for _, golden := range []struct {
		name    string
		due     Due
		payload string
		traits  Traits
	}{
		{
			"the first", Due{Device: 0, Index: 0, At: 0},
			`{"device":"climate-0000","time":"2026-01-12T00:00:00Z","location":{"building":1,"floor":1,"room":1},"readings":[{"sensor":"temperature","value":28.42,"unit":"°C","status":"ok"},{"sensor":"humidity","value":58.59,"unit":"%","status":"ok"},{"sensor":"pressure","value":1002.64,"unit":"hPa","status":"ok"}],"status":"ok"}`,
			Traits{EventTime: time.UnixMilli(1768176000000).UTC(), Anomalies: 0b10000},
		},
		{
			"nothing special", Due{Device: 12, Index: 0, At: 2005450115},
			`{"device":"climate-0012","time":"2026-01-12T00:04:48.784Z","location":{"building":1,"floor":7,"room":1},"readings":[{"sensor":"temperature","value":28.76,"unit":"°C","status":"ok"},{"sensor":"humidity","value":57.24,"unit":"%","status":"ok"},{"sensor":"pressure","value":970.43,"unit":"hPa","status":"ok"}],"status":"ok"}`,
			Traits{EventTime: time.UnixMilli(1768176288784).UTC()},
		},
		{
			"dry", Due{Device: 75, Index: 0, At: 521693388},
			`{"device":"climate-0075","time":"2026-01-12T00:01:15.123Z","location":{"building":2,"floor":8,"room":4},"readings":[{"sensor":"temperature","value":4.73,"unit":"°C","status":"ok"},{"sensor":"humidity","value":10.44,"unit":"%","status":"error"},{"sensor":"pressure","value":950,"unit":"hPa","status":"ok"}],"status":"error"}`,
			Traits{EventTime: time.UnixMilli(1768176075123).UTC(), Anomalies: 0b10000, Alert: true},
		},
		{
			"late", Due{Device: 186, Index: 0, At: 4264922579},
			`{"device":"power-0086","time":"2026-01-12T00:10:09.148Z","location":{"building":1,"floor":4,"room":5},"readings":[{"sensor":"switch","value":1,"unit":"","status":"ok"},{"sensor":"current","value":1.54,"unit":"A","status":"ok"},{"sensor":"temperature","value":20.26,"unit":"°C","status":"ok"}],"status":"ok"}`,
			Traits{EventTime: time.UnixMilli(1768176609148).UTC(), Late: true},
		},
		{
			"drift", Due{Device: 144, Index: 1, At: 10132145964},
			`{"device":"power-0044","time":"2026-01-12T00:24:19.029Z","location":{"building":1,"floor":3,"room":3},"readings":[{"sensor":"switch","value":1,"unit":"","status":"ok"},{"sensor":"current","value":1.29,"unit":"A","status":"ok"},{"sensor":"temperature","value":13.34,"unit":"°C","status":"ok"}],"status":"ok"}`,
			Traits{EventTime: time.UnixMilli(1768177459029).UTC(), Anomalies: 0b10},
		},
		{
			"silent", Due{Device: 66, Index: 6, At: 20053559810},
			`{"device":"climate-0066","time":"2026-01-12T00:48:07.712Z","location":{"building":1,"floor":4,"room":4},"readings":[],"status":"ok"}`,
			Traits{EventTime: time.UnixMilli(1768178887712).UTC(), Anomalies: 0b1000},
		},
		{
			"flutter", Due{Device: 181, Index: 6, At: 30362658151},
			`{"device":"power-0081","time":"2026-01-12T01:12:52.222Z","location":{"building":2,"floor":1,"room":5},"readings":[{"sensor":"switch","value":0,"unit":"","status":"ok"},{"sensor":"current","value":1.54,"unit":"A","status":"ok"},{"sensor":"temperature","value":25.36,"unit":"°C","status":"ok"}],"status":"ok"}`,
			Traits{EventTime: time.UnixMilli(1768180372222).UTC(), Anomalies: 0b100000},
		},
	} {
		payload, traits := g.Append(nil, golden.due)
		assert.Equal(t, golden.payload, string(payload), golden.name)
		assert.Equal(t, golden.traits, traits, golden.name)
	}
}

// So are they in Protobuf, field by field.
func TestProtobufPayloadsAreTheSameInEveryProcess(t *testing.T) {
	g := New(busySpec(100).as(Protobuf))
	for _, golden := range []struct {
		name    string
		due     Due
		payload string
	}{
		{
			"the first", Due{Device: 0, Index: 0, At: 0},
			"0a 0c 636c696d6174652d30303030" +
				" 12 06 08 80f390cb06" +
				" 1a 06 0801 1001 1801" +
				" 22 1d 0a 0b 74656d7065726174757265 11 ec51b81e856b3c40 1a 03 c2b043 20 01" +
				" 22 18 0a 08 68756d6964697479 11 ec51b81e854b4d40 1a 01 25 20 01" +
				" 22 1a 0a 08 7072657373757265 11 85eb51b81e558f40 1a 03 685061 20 01" +
				" 28 01",
		},
		{
			"late", Due{Device: 186, Index: 0, At: 4264922579},
			"0a 0a 706f7765722d30303836" +
				" 12 0b 08 e1f790cb06 10 809ac946" +
				" 1a 06 0801 1004 1805" +
				" 22 13 0a 06 737769746368 11 000000000000f03f 20 01" +
				" 22 17 0a 07 63757272656e74 11 a4703d0ad7a3f83f 1a 01 41 20 01" +
				" 22 1d 0a 0b 74656d7065726174757265 11 c3f5285c8f423440 1a 03 c2b043 20 01" +
				" 28 01",
		},
		{
			"silent", Due{Device: 66, Index: 6, At: 20053559810},
			"0a 0c 636c696d6174652d30303636" +
				" 12 0c 08 c78991cb06 10 8084c1d302" +
				" 1a 06 0801 1004 1804" +
				" 28 01",
		},
	} {
		payload, _ := g.Append(nil, golden.due)
		assert.Equal(t, hex.EncodeToString(unhex(t, golden.payload)), hex.EncodeToString(payload), golden.name)
	}
}

func TestDocsShowAPayload(t *testing.T) {
	text, err := os.ReadFile("../docs/payloads.md")
	require.NoError(t, err)
	payload, _ := New(busySpec(100)).Append(nil, Due{Device: 186, Index: 0, At: 4264922579})
	assert.Contains(t, string(text), "```json\n"+string(payload)+"\n```")
}

// So is the schedule: its beginning, with a copy and readings withheld.
func TestScheduleIsTheSameInEveryProcess(t *testing.T) {
	spec := busySpec(3)
	spec.Delivery.Missing, spec.Delivery.Duplicate = 0.2, 0.4
	g := New(spec)
	assert.Equal(t, []Due{
		{Device: 2, Index: 0, At: 1746915836},
		{Device: 0, Index: 0, At: 2120608381},
		{Device: 1, Index: 1, At: 3730736155},
		{Device: 1, Index: 1, At: 3730736155, Copy: true},
		{Device: 4, Index: 0, At: 3980862115},
		{Device: 3, Index: 0, At: 4679424381},
		{Device: 2, Index: 1, At: 4866725964},
		{Device: 0, Index: 1, At: 5100693855},
		{Device: 0, Index: 1, At: 5100693855, Copy: true},
		{Device: 5, Index: 1, At: 6388819563},
		{Device: 1, Index: 2, At: 6774926637},
	}, g.Next(8*time.Second, make([]Due, 0, 100)))
	assert.EqualValues(t, 5, g.Missing())
}
