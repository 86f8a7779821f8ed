/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What plugins of the registry do, seen from outside: the words of double.c, each at its
 * moment. Names of plugins with a dash have an underscore here.
 */
/* clang-format off */
#define DEMANDS(name, ...) \
	__attribute__((unused)) static const struct demand demands_of_##name[] = {__VA_ARGS__ {0}};
#define INIT(deed)    {KIT_INIT, deed},
#define OPEN(deed)    {KIT_OPEN, deed},
#define BATCH(deed)   {KIT_NEXT_BATCH, deed},
#define EXTRACT(deed) {KIT_EXTRACT, deed},
#define CLOSE(deed)   {KIT_CLOSE, deed},

DEMANDS(docker,
	OPEN("unix /var/run/docker.sock GET_/events")
	OPEN("unix /var/run/docker.sock GET_/v1.41/containers/abc/json")
	EXTRACT("say docker"))
DEMANDS(k8saudit_eks,
	INIT("read $aws_config")
	OPEN("threads 6")
	BATCH("connect logs.eu-west-1.amazonaws.com:443"))
DEMANDS(nomad,
	OPEN("connect $address")
	EXTRACT("say nomad"))
DEMANDS(dnscollector,
	OPEN("read /proc/sys/net/core/somaxconn")
	BATCH("serve tcp $PARAMS"))
DEMANDS(syslogsrv,
	BATCH("serve url $PARAMS"))
DEMANDS(salesforce,
	OPEN("connect $sfdcloginurl")
	OPEN("sleep 500")
	BATCH("connect api.pubsub.salesforce.com:7443"))
DEMANDS(box,
	INIT("read $maxmindcitydbpath")
	BATCH("connect api.box.com:443"))
DEMANDS(k8smeta,
	INIT("threads 3")
	OPEN("read $caPEMBundle")
	BATCH("connect collector.example:45000"))
DEMANDS(k8saudit_gke,
	INIT("read $credentials_file")
	BATCH("connect pubsub.googleapis.com:443"))
DEMANDS(journald,
	INIT("read $JOURNAL")
	INIT("watch $JOURNAL")
	BATCH("read $JOURNAL"))
DEMANDS(kafka,
	OPEN("threads 8")
	BATCH("connect $brokers"))
DEMANDS(gitlab,
	INIT("read $SecretsDir")
	INIT("read $MaxmindCityDBPath")
	BATCH("serve tcp :80")
	CLOSE("abort"))
DEMANDS(keycloak,
	OPEN("read $sslCertificate")
	OPEN("read $sslKey")
	BATCH("serve tcp $PARAMS"))
DEMANDS(k8saudit_aks,
	BATCH("connect hub.servicebus.windows.net:5671")
	BATCH("connect logs.blob.core.windows.net:443"))
DEMANDS(k8saudit_ovh,
	BATCH("connect $PARAMS"))
DEMANDS(container,
	INIT("threads 4")
	INIT("read /proc/self/cmdline")
	OPEN("unix /run/docker.sock HEAD_/version")
	OPEN("unix /run/docker.sock GET_/events")
	BATCH("unix /run/docker.sock GET_/containers/json"))
DEMANDS(krsi,
	INIT("read /sys/kernel/btf/vmlinux")
	INIT("bpf"))
DEMANDS(collector,
	BATCH("serve tcp $addr"))
DEMANDS(awselb,
	INIT("read /etc/ssl/certs/ca-certificates.crt")
	BATCH("connect logs.s3.eu-west-1.amazonaws.com:443")
	BATCH("sleep 200"))
DEMANDS(edera,
	OPEN("unix /var/lib/edera/protect/daemon.socket GET_/")
	EXTRACT("connect 192.0.2.1:53"))
DEMANDS(nginx,
	OPEN("follow $PARAMS")
	OPEN("watch $PARAMS")
	EXTRACT("say nginx"))
DEMANDS(coding_agent,
	INIT("threads 3")
	INIT("serve unix $socket_path=~/.prempti/run/broker.sock")
	INIT("serve tcp 127.0.0.1:2802")
	EXTRACT("read /etc/hostname"))
DEMANDS(seccompagent,
	OPEN("serve unix $socketFile=/run/seccomp-agent-falco-plugin.sock"))

#undef INIT
#undef OPEN
#undef BATCH
#undef EXTRACT
#undef CLOSE
#undef DEMANDS
/* clang-format on */
