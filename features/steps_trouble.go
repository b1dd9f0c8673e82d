package features

import (
	"regexp"
	"strings"
)

// troubleSteps say what the fleet sends, and what goes wrong.
func troubleSteps() []step {
	// What a step makes may get a name, by which expectations speak of it.
	as := func(what string) pattern { return pattern(`[ as ` + what + ` {string}]`) }
	return []step{
		{
			pattern: `the load warms up at {rate} for {duration}` + as("stage"),
			doc:     "A stage that is left out of latencies and rates, never out of the account of the records. It is called warmup unless it gets another name.",
			example: `the load warms up at 1000/s for 1s`,
			same:    "load: {stages: [{name: warmup, for: 1s, rate: 1000/s, judged: false}]}",
			do: func(s *script, arg []string) {
				s.stage(arg[2], "warmup", field{"for", arg[1]}, field{"rate", arg[0]}, field{"judged", "false"})
			},
		},
		{
			pattern: `the load ramps to {rate} over {duration}` + as("stage"),
			doc:     "A stage that goes evenly from the rate of the stage before to this one. It is called ramp unless it gets another name. Rates are 5000/s, 600/min, or 20x: multiples of the fleet's own pace.",
			example: `the load ramps to 3000/s over 20s`,
			same:    "load: {stages: [{name: ramp, for: 20s, rate: 3000/s, ramp: linear}]}",
			do: func(s *script, arg []string) {
				s.stage(arg[2], "ramp", field{"for", arg[1]}, field{"rate", arg[0]}, field{"ramp", "linear"})
			},
		},
		{
			pattern: `the load holds {rate} for {duration}` + as("stage"),
			doc:     "A stage of one rate. It is called hold unless it gets another name; a second one of the same name is called hold-2.",
			example: `the load holds 3000/s for 60s as stage "calm"`,
			same:    "load: {stages: [{name: calm, for: 60s, rate: 3000/s}]}",
			do: func(s *script, arg []string) {
				s.stage(arg[2], "hold", field{"for", arg[1]}, field{"rate", arg[0]})
			},
		},
		{
			pattern: `at {duration} the load bursts to {rate} for {duration}` + as("stage"),
			doc:     "Takes its time out of the stage it falls into, which goes on afterwards under its name and -2. Where it begins at the end of the load it is one more stage.",
			example: `at 10s the load bursts to 20x for 5s`,
			same:    "load: {stages: [{name: hold, for: 10s, …}, {name: burst, for: 5s, rate: 20x}, {name: hold-2, …}]}",
			do: func(s *script, arg []string) {
				s.burst(arg[0], arg[2], arg[1], arg[3])
			},
		},
		{
			pattern: `at {duration} {place} shows a(n) {word}[ (of|by) {change}] on {string}[ in {float}% of the readings] for {duration}` + as("anomaly"),
			doc:     "Makes readings wrong, knowing which: spike of 9.5 or by 3, drift of 2/s, noise of 6 times the spread, stuck, dropout, toggle. Places are every device, fleet \"power\", building 1, building 1 floor 2, room 3 of floor 2 of building 1, and a fleet in any of these. It is called after what it shows unless it gets another name.",
			example: `at 30s fleet "power" in building 1 floor 3 shows a spike of 9.5 on "current" in 30% of the readings for 10s as anomaly "surge"`,
			same:    "anomalies: [{name: surge, at: 30s, for: 10s, where: {fleet: power, building: 1, floor: 3}, sensor: current, do: spike, to: 9.5, rate: 30%}]",
			do:      anomaly,
		},
		{
			pattern: `at {duration} the leader of partition {int} is (killed|paused|stopped|restarted|cut off) for {duration}` + as("fault"),
			doc:     "Of the topic of the readings, as it is then. Killed is SIGKILL, paused is frozen with its connections open, stopped hands over first: these need real Kafka. Cut off is unreachable for clients, and works everywhere. A fault is called kill, pause, stop, restart or cut unless it gets another name; a second one is called kill-2.",
			example: `at 20s the leader of partition 0 is killed for 10s as fault "crash"`,
			same:    "faults: [{name: crash, at: 20s, for: 10s, do: kill, target: leader of device-data/0}]",
			do: func(s *script, arg []string) {
				s.fault(arg[4], doing(arg[2]), arg[0], arg[3], "leader of "+s.draft.Text("topic.name")+"/"+arg[1])
			},
		},
		{
			pattern: `at {duration} broker {int} is (killed|paused|stopped|restarted|cut off)[ for {duration}]` + as("fault"),
			doc:     "As with a leader. Only restarted does without a length.",
			example: `at 3s broker 2 is cut off for 1s`,
			same:    "faults: [{name: cut, at: 3s, for: 1s, do: cut, target: broker 2}]",
			do: func(s *script, arg []string) {
				s.fault(arg[4], doing(arg[2]), arg[0], arg[3], "broker "+arg[1])
			},
		},
		{
			pattern: `at {duration} broker {int} crashes for {duration}` + as("fault"),
			doc:     "Of an embedded broker: its connections are reset and refused, its log survives. The fault is called crash.",
			example: `at 3s broker 2 crashes for 1s`,
			same:    "faults: [{name: crash, at: 3s, for: 1s, do: crash, target: broker 2}]",
			do: func(s *script, arg []string) {
				s.fault(arg[3], "crash", arg[0], arg[2], "broker "+arg[1])
			},
		},
		{
			pattern: `at {duration} broker {int} answers {duration} later for {duration}` + as("fault"),
			doc:     "Every answer is delayed by so much. The fault is called latency.",
			example: `at 3s broker 1 answers 200ms later for 2s as fault "slow"`,
			same:    "faults: [{name: slow, at: 3s, for: 2s, do: latency, target: broker 1, latency: 200ms}]",
			do: func(s *script, arg []string) {
				s.fault(arg[4], "latency", arg[0], arg[3], "broker "+arg[1], field{"latency", arg[2]})
			},
		},
		{
			pattern: `at {duration} acknowledgements are lost for {duration} at a rate of {often}` + as("fault"),
			doc:     "The broker stores what it was sent, and its answer is lost on the way, with the connection: so many times a second, or that share of all. The fault is called lose-ack.",
			example: `at 2s acknowledgements are lost for 4s at a rate of 3/s`,
			same:    "faults: [{name: lose-ack, at: 2s, for: 4s, do: lose_ack, target: all, rate: 3/s}]",
			do: func(s *script, arg []string) {
				s.fault(arg[3], "lose_ack", arg[0], arg[1], "all", field{"rate", arg[2]})
			},
		},
	}
}

// doing is the kind of fault that a word of the language stands for.
func doing(word string) string {
	return map[string]string{"killed": "kill", "paused": "pause", "stopped": "stop", "restarted": "restart", "cut off": "cut"}[word]
}

// located finds the levels of a place, and the fleet.
var located = regexp.MustCompile(`(building|floor|room) ([0-9]+)|(fleet) ("[^"]*")`)

func anomaly(s *script, arg []string) {
	at, place, kind, how, change, sensor, rate, length, name := arg[0], arg[1], arg[2], arg[3], arg[4], arg[5], arg[6], arg[7], arg[8]
	var where []string
	for _, level := range located.FindAllStringSubmatch(place, -1) {
		where = append(where, level[1]+level[3]+": "+level[2]+level[4])
	}
	fields := []field{{"at", at}, {"for", length}, {"sensor", quoted(sensor)}, {"do", kind}}
	if len(where) > 0 {
		fields = append(fields, field{"where", "{" + strings.Join(where, ", ") + "}"})
	}
	if change != "" {
		fields = append(fields, field{changing(kind, how), change})
	}
	if rate != "" {
		fields = append(fields, field{"rate", rate + "%"})
	}
	s.item("anomalies", name, kind, fields...)
}

// changing is the field that says how far: a spike of 9.5 goes to that value, a drift of 2/s goes by so much.
func changing(kind, how string) string {
	if how == "by" || kind == "drift" || kind == "noise" {
		return "by"
	}
	return "to"
}
