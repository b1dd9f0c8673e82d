package broker

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// This file is all that fleetproof knows of the image. It speaks the contract of Apache Kafka's own one: a server
// property is an environment variable, storage is formatted with CLUSTER_ID on the first start and kept on the next, logs
// go to standard output, and SIGTERM is a controlled shutdown. Another image needs another one of these.
// https://github.com/apache/kafka/blob/trunk/docker/examples/README.md

// The ports on which a broker listens inside its container.
const (
	clientPort     = 9092
	brokerPort     = 19092
	controllerPort = 9093
)

// hostname is the name under which the brokers of a cluster find broker n, which counts from 1 and is its node id too.
func hostname(n int) string { return fmt.Sprintf("kafka-%d", n) }

// sockets are where a broker listens, as host:port, and what it and others find it by.
type sockets struct {
	client, broker, controller string
	advertised                 string // to clients
	internal                   string // to other brokers
	voters                     string // the controllers of all brokers
}

// onBridge are the sockets of broker n of so many in a network of their own.
func onBridge(brokers, n int, advertised string) sockets {
	voters := make([]string, brokers)
	for i := range voters {
		voters[i] = fmt.Sprintf("%d@%s:%d", i+1, hostname(i+1), controllerPort)
	}
	return sockets{
		client: fmt.Sprintf(":%d", clientPort), broker: fmt.Sprintf(":%d", brokerPort), controller: fmt.Sprintf(":%d", controllerPort),
		advertised: advertised, internal: fmt.Sprintf("%s:%d", hostname(n), brokerPort), voters: strings.Join(voters, ","),
	}
}

// onHost are the sockets of a single broker on three ports of the host's loopback.
func onHost(ports []int, advertised string) sockets {
	local := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
	return sockets{
		client: local(ports[0]), broker: local(ports[1]), controller: local(ports[2]),
		advertised: advertised, internal: local(ports[1]), voters: "1@" + local(ports[2]),
	}
}

// environment is what makes a container broker n of a cluster.
func environment(spec Spec, n int, at sockets) map[string]string {
	properties := map[string]string{
		"auto.create.topics.enable":                "false",
		"group.initial.rebalance.delay.ms":         "0",
		"offsets.topic.replication.factor":         strconv.Itoa(min(spec.Brokers, 3)),
		"transaction.state.log.replication.factor": strconv.Itoa(min(spec.Brokers, 3)),
		"transaction.state.log.min.isr":            strconv.Itoa(min(spec.Brokers, 2)),
	}
	maps.Copy(properties, spec.Config)
	maps.Copy(properties, identity(n, at))
	variables := map[string]string{
		"CLUSTER_ID":      clusterID(spec.Run),
		"KAFKA_HEAP_OPTS": fmt.Sprintf("-Xms%[1]dk -Xmx%[1]dk", int(spec.Heap)>>10),
		// A broker that was cut off comes back with another address. Java would look for it at the old one for half a
		// minute, or, having asked in vain, not ask again for ten seconds.
		"KAFKA_OPTS": "-Dsun.net.inetaddr.ttl=1 -Dsun.net.inetaddr.negative.ttl=0",
	}
	for property, value := range properties {
		variables[variable(property)] = value
	}
	return variables
}

// identity are the properties by which a container is this broker of this cluster, with brokers that are controllers
// too (KIP-500, combined mode).
func identity(n int, at sockets) map[string]string {
	return map[string]string{
		"node.id":                        strconv.Itoa(n),
		"process.roles":                  "broker,controller",
		"controller.quorum.voters":       at.voters,
		"controller.listener.names":      "CONTROLLER",
		"inter.broker.listener.name":     "BROKER",
		"listeners":                      fmt.Sprintf("CLIENT://%s,BROKER://%s,CONTROLLER://%s", at.client, at.broker, at.controller),
		"advertised.listeners":           fmt.Sprintf("CLIENT://%s,BROKER://%s", at.advertised, at.internal),
		"listener.security.protocol.map": "CLIENT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"log.dirs":                       "/tmp/kraft-combined-logs",
	}
}

// CheckConfig refuses the settings by which a broker is part of its cluster, and those that the image takes for
// something else than a setting of Kafka. Whether Kafka knows a setting is found out when it runs.
func CheckConfig(config map[string]string) error {
	own := identity(1, sockets{})
	for _, name := range slices.Sorted(maps.Keys(config)) {
		if _, found := own[name]; found {
			return fmt.Errorf("%s is set by fleetproof", name)
		}
		switch first, _, _ := strings.Cut(name, "."); first {
		case "heap", "opts", "jmx", "jvm", "gc", "log4j", "tools", "version", "":
			return fmt.Errorf("%s is no setting of Kafka", name)
		}
	}
	return nil
}

// variable is the environment variable for a server property.
func variable(property string) string {
	return "KAFKA_" + strings.ToUpper(strings.NewReplacer("_", "__", "-", "___", ".", "_").Replace(property))
}

// clusterID gives all brokers of a run the same identity of their cluster: 16 bytes in URL-safe base64 that do not begin
// with the hyphen of an option, because the image hands them to a command line.
func clusterID(run string) string {
	sum := sha256.Sum256([]byte(run))
	sum[0] &= 0x7f
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
