#!/bin/sh
# Builds apache/kafka:$KAFKA_VERSION from Maven Central's jars on a Debian root with a JRE. See README.md.
set -eu
KAFKA_VERSION=${KAFKA_VERSION:-4.3.1}
image=apache/kafka:$KAFKA_VERSION
here=$(cd "$(dirname "$0")" && pwd)

if docker image inspect "$image" >/dev/null 2>&1; then
	echo "$image is there"
	exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

debootstrap --variant=minbase --include=openjdk-17-jre-headless bookworm "$root" >"$work/debootstrap.log" ||
	{ tail -n 20 "$work/debootstrap.log"; exit 1; }
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/usr/share/doc/* "$root"/usr/share/man/*

mkdir -p "$root/opt/kafka/config" "$root/etc/kafka/docker" "$root/mnt/shared/config"
mvn -q -B -f "$here/pom.xml" -Dkafka.version="$KAFKA_VERSION" dependency:copy-dependencies \
	-DoutputDirectory="$root/opt/kafka/libs"
cp "$here/server.properties" "$here/log4j2.yaml" "$root/etc/kafka/docker/"
cp "$here/log4j2.yaml" "$root/etc/kafka/docker/tools-log4j2.yaml"
install -m 755 "$here/run" "$root/etc/kafka/docker/run"

tar -C "$root" -c . | docker import -c 'CMD ["/etc/kafka/docker/run"]' -c 'EXPOSE 9092' - "$image" >/dev/null
echo "$image is built"
