package fault

import "github.com/fleetproof/fleetproof/harness/broker"

// Kinds is the table of kinds, in the order in which they are shown. A new kind is a row here and a case of newEffect.
func Kinds() []Row {
	return append(append(linkKinds(), embeddedKinds()...), append(dockerKinds(), clusterKinds()...)...)
}

// linkKinds are the faults between clients and brokers.
func linkKinds() []Row {
	targets := []Form{OneBroker, OneLeader, OneController, Everything}
	brokers := []broker.Kind{broker.Embedded, broker.Docker}
	return []Row{
		{
			Kind: Latency,
			Doc: "The link holds every response of the targets back before the client gets it. Requests are not delayed, order " +
				"is kept and throughput is not limited: many responses can be on their way at once. Latencies that overlap add up.",
			Brokers: brokers,
			Targets: targets,
			Link:    true,
			Parameters: []Parameter{
				{"latency", Required, "how much later every response arrives"},
				{"jitter", Optional, "up to this much more or less, drawn for each response; a response that overtakes waits for the one before it"},
			},
			Proof:  "responses delayed",
			Healed: "through the link, the fastest of five answers comes as soon as around it, but for less than the least of the latency, and none was delayed",
		},
		{
			Kind: Cut,
			Doc: "The link closes every connection to the targets and resets new ones at once. The link keeps its port, so that " +
				"a client sees a reset where a closed port would have refused it.",
			Brokers: brokers,
			Targets: targets,
			Link:    true,
			Proof:   "connections closed or refused",
			Healed:  "a new connection through the link is answered",
			severs:  true,
		},
		{
			Kind: LoseAck,
			Doc: "The link delivers a Produce request of which the response never arrives: the record is in the log, and the " +
				"client cannot know. TCP loses a response only together with its connection, which therefore breaks. With " +
				"acks=0 there are no responses to lose.",
			Brokers: brokers,
			Targets: targets,
			Link:    true,
			Parameters: []Parameter{
				{"rate", AnyOf, "how many responses are lost, over all targets together: 3/s, 30/min, or a share such as 1%; without it, every one"},
				{"count", AnyOf, "at most so many"},
			},
			Proof:  "produce responses swallowed",
			Healed: "a new connection through the link is answered",
		},
	}
}

// embeddedKinds are what only a broker in this process can do.
func embeddedKinds() []Row {
	targets := []Form{OneBroker, OneLeader, Everything}
	return []Row{
		{
			Kind: Error,
			Doc: "The targets answer requests with an error of the protocol and do not act on them, except with " +
				"REQUEST_TIMED_OUT and NOT_ENOUGH_REPLICAS_AFTER_APPEND: a record that is answered so is in the log.",
			Brokers: []broker.Kind{broker.Embedded},
			Targets: targets,
			Parameters: []Parameter{
				{"error", Required, "the protocol's name of the error, such as NOT_LEADER_OR_FOLLOWER"},
				{"api", Required, "the protocol's name of the request: Produce or InitProducerId"},
				{"rate", Optional, "how many requests are answered so, over all targets together: 3/s, 30/min, or a share such as 1%; without it, every one"},
				{"count", Optional, "at most so many"},
			},
			Proof:  "requests answered with the error",
			Healed: "the brokers have dropped the rule, and answer",
		},
		{
			Kind: Crash,
			Doc: "The targets reset every connection and new ones at once, keep their log and come back with it. They stay the " +
				"leaders of their partitions, and keep their ports: a client sees a reset where a closed port would have refused it.",
			Brokers: []broker.Kind{broker.Embedded},
			Targets: targets,
			Proof:   "connections reset or refused",
			Healed:  "a new connection is answered",
			severs:  true,
		},
	}
}

// dockerKinds are what is done to the container of a broker.
func dockerKinds() []Row {
	row := func(kind Kind, doc, proof string, parameters ...Parameter) Row {
		return Row{
			Kind:         kind,
			Doc:          doc,
			Brokers:      []broker.Kind{broker.Docker},
			Targets:      []Form{OneBroker, OneLeader, OneController, Everything},
			MovesLeaders: true,
			Parameters: append(parameters, Parameter{"allow_loss", Optional,
				"true: it may take down more brokers, together with other faults, than the topics' promise survives"}),
			Proof: proof,
			Healed: "the container runs, and the broker is in the metadata of every broker and in sync for each of its partitions, " +
				"which have leaders on which all brokers agree",
			severs: true, downs: true, joins: true,
		}
	}
	const stopped = "replicas on brokers whose containers were seen to stop"
	rolling := row(RollingRestart,
		"Restarts the targets one after the other, in order: each shuts down in a controlled way, is started again at once, and is in "+
			"sync before the next one's turn. The load has to last as long: on two cores, a broker takes ten to twenty seconds.",
		stopped, Parameter{"for", Optional, "how long it lasts at least; it is as long as it takes"})
	rolling.inTurn = true
	return []Row{
		row(Kill, "Kills the targets (SIGKILL), as a machine that loses power and keeps its disk, and starts them again at the end of for.", stopped),
		row(Stop, "Shuts the targets down in a controlled way (SIGTERM), so that they hand their leaderships over before they end, and "+
			"starts them again at the end of for.", stopped),
		row(Restart, "Shuts the targets down in a controlled way (SIGTERM), all at the same time, and starts them again.", stopped,
			Parameter{"for", Optional, "when they are started again; without it, as soon as they have stopped"}),
		rolling,
		row(Pause, "Freezes the targets: their connections stay open, and nothing answers. A broker that is frozen for longer than "+
			"broker.session.timeout.ms, 9 s, loses its leaderships meanwhile, and does not know.",
			"replicas on brokers that were seen not to answer a request"),
		row(Isolate, "Disconnects the targets from clients and from the other brokers. They run on, and take themselves for leaders when others lead already.",
			"replicas on brokers that were seen to be out of reach"),
	}
}

// clusterKinds are what a cluster does to its partitions when it is asked.
func clusterKinds() []Row {
	brokers := []broker.Kind{broker.Embedded, broker.Docker}
	const led = "every partition that was hit has a leader that is in sync, and on which all brokers agree"
	back := Parameter{"for", Optional, "after this, the leaders of before lead again; without it, the new ones stay"}
	return []Row{
		{
			Kind: ElectLeader,
			Doc: "Has another leader elected for the targets, among the replicas that are in sync: the preferred one, which is the " +
				"first of the replicas, or, where that one leads, the next, which is made the first before.",
			Brokers:      brokers,
			Targets:      []Form{OnePartition, OneTopic, Everything},
			MovesLeaders: true,
			Parameters:   []Parameter{back},
			Proof:        "partitions seen with another leader",
			Healed:       led,
			joins:        true,
		},
		{
			Kind: MoveLeader,
			Doc: "Has one broker lead the targets, as far as it has a replica of them that is in sync: that replica is made the first, " +
				"which is the preferred one, and elected. Partitions that the broker leads already are not hit.",
			Brokers:      brokers,
			Targets:      []Form{OnePartition, OneTopic, Everything},
			MovesLeaders: true,
			Parameters: []Parameter{
				{"to", Optional, "the broker, counted from 1; without it, of each partition the one with the next replica"},
				back,
			},
			Proof:  "partitions seen with another leader",
			Healed: led,
			joins:  true,
		},
		{
			Kind: AddPartitions,
			Doc: "Gives a topic more partitions, spread over all brokers, which it keeps. A key that was in one partition may be in " +
				"another one from then on, as soon as the client has found out.",
			Brokers: brokers,
			Targets: []Form{OneTopic},
			Parameters: []Parameter{
				{"to", Required, "how many partitions the topic has then"},
				{"for", Optional, "how long the fault lasts; the partitions stay"},
			},
			Proof:  "partitions seen to be there in addition",
			Healed: "all brokers have the partitions, with a leader on which they agree and every replica in sync",
			once:   true,
			joins:  true,
		},
		{
			Kind: ShrinkISR,
			Doc: "Leaves a partition too few in-sync replicas, fewer than min.insync.replicas: writes with acks=all are refused. On docker " +
				"brokers its followers shut down in a controlled way, one after the other, as many as it takes; that hurts other " +
				"partitions too. (Frozen followers would stay in sync for ever: in a small cluster, no controller would be left to " +
				"remove them.) On embedded brokers, which know no followers, the partition's leader refuses every produce request " +
				"with NOT_ENOUGH_REPLICAS, whatever its acks.",
			Brokers:      brokers,
			Targets:      []Form{OnePartition},
			MovesLeaders: true,
			Parameters: []Parameter{
				{"allow_loss", Optional, "true: other faults may take brokers down at the same time"},
			},
			Proof:  "partitions seen with too few in-sync replicas; with embedded brokers, produce requests refused",
			Healed: "the followers that were stopped are in sync again; with embedded brokers, the leader has dropped the rule, and answers",
			severs: true, downs: true, inTurn: true, joins: true,
		},
	}
}
