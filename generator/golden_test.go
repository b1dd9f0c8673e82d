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
			`{"device":"climate-0000","time":"2026-01-12T00:00:00Z","location":{"building":1,"floor":1,"room":1},"readings":[{"sensor":"temperature","value":15.46,"unit":"°C","status":"ok"},{"sensor":"humidity","value":43.46,"unit":"%","status":"ok"},{"sensor":"pressure","value":1022.8,"unit":"hPa","status":"ok"}],"status":"ok"}`,
			Traits{EventTime: time.UnixMilli(1768176000000).UTC()},
		},
		{
			"nothing special", Due{Device: 151, Index: 0, At: 2019119479},
			`{"device":"power-0051","time":"2026-01-12T00:04:50.753Z","location":{"building":2,"floor":6,"room":3},"readings":[{"sensor":"switch","value":1,"unit":"","status":"ok"},{"sensor":"current","value":2.05,"unit":"A","status":"ok"},{"sensor":"temperature","value":22.46,"unit":"°C","status":"ok"}],"status":"ok"}`,
			Traits{EventTime: time.UnixMilli(1768176290753).UTC()},
		},
		{
			"dry", Due{Device: 6, Index: 0, At: 1171074510},
			`{"device":"climate-0006","time":"2026-01-12T00:02:48.634Z","location":{"building":1,"floor":4,"room":1},"readings":[{"sensor":"temperature","value":21.95,"unit":"°C","status":"ok"},{"sensor":"humidity","value":14.61,"unit":"%","status":"error"},{"sensor":"pressure","value":950,"unit":"hPa","status":"ok"}],"status":"error"}`,
			Traits{EventTime: time.UnixMilli(1768176168634).UTC(), Anomalies: 0b10000, Alert: true},
		},
		{
			"late", Due{Device: 128, Index: 0, At: 3497415627},
			`{"device":"power-0028","time":"2026-01-12T00:08:18.627Z","location":{"building":1,"floor":5,"room":2},"readings":[{"sensor":"switch","value":1,"unit":"","status":"ok"},{"sensor":"current","value":1.48,"unit":"A","status":"ok"},{"sensor":"temperature","value":28.62,"unit":"°C","status":"ok"}],"status":"ok"}`,
			Traits{EventTime: time.UnixMilli(1768176498627).UTC(), Late: true},
		},
		{
			"drift", Due{Device: 184, Index: 1, At: 10138322503},
			`{"device":"power-0084","time":"2026-01-12T00:24:19.918Z","location":{"building":1,"floor":3,"room":5},"readings":[{"sensor":"switch","value":0,"unit":"","status":"ok"},{"sensor":"current","value":1.62,"unit":"A","status":"ok"},{"sensor":"temperature","value":22.83,"unit":"°C","status":"ok"}],"status":"ok"}`,
			Traits{EventTime: time.UnixMilli(1768177459918).UTC(), Anomalies: 0b10},
		},
		{
			"silent", Due{Device: 85, Index: 6, At: 20173139089},
			`{"device":"climate-0085","time":"2026-01-12T00:48:24.932Z","location":{"building":2,"floor":3,"room":5},"readings":[],"status":"ok"}`,
			Traits{EventTime: time.UnixMilli(1768178904932).UTC(), Anomalies: 0b1000},
		},
		{
			"flutter", Due{Device: 123, Index: 5, At: 30002485041},
			`{"device":"power-0023","time":"2026-01-12T01:12:00.357Z","location":{"building":2,"floor":2,"room":2},"readings":[{"sensor":"switch","value":1,"unit":"","status":"ok"},{"sensor":"current","value":1.73,"unit":"A","status":"ok"},{"sensor":"temperature","value":23.53,"unit":"°C","status":"ok"}],"status":"ok"}`,
			Traits{EventTime: time.UnixMilli(1768180320357).UTC(), Anomalies: 0b100000},
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
				" 22 1d 0a 0b 74656d7065726174757265 11 ec51b81e85eb2e40 1a 03 c2b043 20 01" +
				" 22 18 0a 08 68756d6964697479 11 7b14ae47e1ba4540 1a 01 25 20 01" +
				" 22 1a 0a 08 7072657373757265 11 6666666666f68f40 1a 03 685061 20 01" +
				" 28 01",
		},
		{
			"late", Due{Device: 128, Index: 0, At: 3497415627},
			"0a 0a 706f7765722d30303238" +
				" 12 0c 08 f2f690cb06 10 c085fdaa02" +
				" 1a 06 0801 1005 1802" +
				" 22 13 0a 06 737769746368 11 000000000000f03f 20 01" +
				" 22 17 0a 07 63757272656e74 11 ae47e17a14aef73f 1a 01 41 20 01" +
				" 22 1d 0a 0b 74656d7065726174757265 11 1f85eb51b89e3c40 1a 03 c2b043 20 01" +
				" 28 01",
		},
		{
			"silent", Due{Device: 85, Index: 6, At: 20173139089},
			"0a 0c 636c696d6174652d30303835" +
				" 12 0c 08 d88991cb06 10 80e2b4bc03" +
				" 1a 06 0802 1003 1805" +
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
	payload, _ := New(busySpec(100)).Append(nil, Due{Device: 128, Index: 0, At: 3497415627})
	assert.Contains(t, string(text), "```json\n"+string(payload)+"\n```")
}

// So is the schedule: its beginning, with a copy and readings withheld.
func TestScheduleIsTheSameInEveryProcess(t *testing.T) {
	spec := busySpec(3)
	spec.Seed = 6
	spec.Delivery.Missing, spec.Delivery.Duplicate = 0.2, 0.4
	g := New(spec)
	assert.Equal(t, []Due{
		{Device: 3, Index: 0, At: 710405223},
		{Device: 1, Index: 0, At: 903487876},
		{Device: 1, Index: 0, At: 903487876, Copy: true},
		{Device: 4, Index: 0, At: 1093346999},
		{Device: 2, Index: 0, At: 1441048339},
		{Device: 2, Index: 0, At: 1441048339, Copy: true},
		{Device: 0, Index: 0, At: 2500310507},
		{Device: 1, Index: 1, At: 4026315797},
		{Device: 3, Index: 1, At: 5605502331},
		{Device: 3, Index: 1, At: 5605502331, Copy: true},
		{Device: 0, Index: 1, At: 5763439059},
		{Device: 0, Index: 1, At: 5763439059, Copy: true},
	}, g.Next(6*time.Second, make([]Due, 0, 100)))
	assert.EqualValues(t, 2, g.Missing())
}
