"""docker/kubernetes is what Kubernetes takes and what the code needs: checked offline, no cluster is asked."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from broker.admin import CHANGELOG, STATES, changelog
from cli.reference.metrics import metrics
from observability.probe import Probe
from settings import ROOT, Settings
from settings.unknown_variables import unknown_variables
from stack.component_table import NAMES
from stack.kafka_config import USER
from stack.kubernetes import CLUSTER, FOLDER, PROGRAM, files
from stack.servers import MEASURED, SERVERS
from topics.catalog import READ_BY_WORKER, TOPICS

VERSION = "1.35"
"""The oldest Kubernetes that docs/howto/kubernetes.md names."""
PAGE = (ROOT / "docs/howto/kubernetes.md").read_text()
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
OPERATORS = {
    "kafka.strimzi.io/v1": {
        "Kafka": ("kafka.listeners", "kafka.authorization.type", "entityOperator.topicOperator"),
        "KafkaNodePool": ("replicas", "roles", "storage.type", "storage.volumes"),
        "KafkaTopic": ("partitions", "replicas", "config"),
        "KafkaUser": ("authentication.type", "authorization.type", "authorization.acls"),
    },
    "postgresql.cnpg.io/v1": {
        "Cluster": (
            "instances",
            "storage.size",
            "imageCatalogRef.kind",
            "imageCatalogRef.name",
            "imageCatalogRef.major",
        ),
        "Database": ("cluster.name", "name", "owner"),
    },
    "keda.sh/v1alpha1": {"ScaledObject": ("scaleTargetRef.name", "triggers")},
    "monitoring.coreos.com/v1": {"PodMonitor": ("selector", "podMetricsEndpoints")},
}
"""The fields below `spec` that each kind must have, by its documentation."""
OF_LIBRARIES = {
    "HOME",
    "PGSSLMODE",
    "PGSSLROOTCERT",
    *(f"{one}_NUM_THREADS" for one in ("OMP", "OPENBLAS", "MKL", "NUMBA")),
}
REACHED = {  # by whom a secret's variable is used, that one goes there
    "to-kafka": "FORETICK_KAFKA_PASSWORD",
    "to-database": "FORETICK_DATABASE_URL",
    "to-redis": "FORETICK_REDIS_URL",
    "to-mlflow": "FORETICK_MLFLOW_URI",
}
LEFT_OUT = {*SERVERS, "sample"}
"""The servers are the operators'; the page says why the sample is left out."""


def documents(path: Path) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(path.read_text()) if one is not None]


def in_words(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


KUSTOMIZATIONS = {path.parent: documents(path)[0] for path in sorted(FOLDER.rglob("kustomization.yaml"))}
MANIFESTS = [path for path in sorted(FOLDER.rglob("*.yaml")) if path.name != "kustomization.yaml"]
OBJECTS = [(in_words(path), one) for path in MANIFESTS for one in documents(path)]
NATIVE = [pytest.param(one, id=f"{path}:{one['kind']}") for path, one in OBJECTS if one["apiVersion"] not in OPERATORS]
PODS = {one["metadata"]["name"]: one for _, one in OBJECTS if one["kind"] in ("Deployment", "StatefulSet", "Job")}
OURS = [name for name in PODS if name != "redis"]
SETTINGS = dict(re.findall(r"^(\w+)=(.*)$", (FOLDER / "base/settings.env").read_text(), re.MULTILINE))


def named(kind: str, name: str) -> dict[str, Any]:
    (one,) = [one for _, one in OBJECTS if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return one


def all_of(kind: str) -> list[dict[str, Any]]:
    return [one for _, one in OBJECTS if one["kind"] == kind]


def pod(name: str) -> dict[str, Any]:
    template: dict[str, Any] = PODS[name]["spec"]["template"]
    return template


def container(name: str) -> dict[str, Any]:
    (one,) = pod(name)["spec"]["containers"]
    return dict(one)


def ports(name: str) -> dict[str, int]:
    return {one["name"]: one["containerPort"] for one in container(name).get("ports", ())}


def component(name: str) -> str:
    """Return the name of a workload among the components: every venue is `live`."""
    return str(pod(name)["metadata"]["labels"]["app.kubernetes.io/name"])


def secrets(name: str) -> dict[str, tuple[str, str]]:
    """Return the secret and key of each variable of a pod that has one."""
    references = {
        one["name"]: one["valueFrom"].get("secretKeyRef") for one in container(name)["env"] if "valueFrom" in one
    }
    return {variable: (of["name"], of["key"]) for variable, of in references.items() if of}


def mounted(name: str) -> Iterator[tuple[str, str, str]]:
    """Yield the secret, the key and the path of each file of a secret in a pod."""
    at = {one["name"]: one["mountPath"] for one in container(name)["volumeMounts"]}
    for volume in pod(name)["spec"]["volumes"]:
        for source in volume.get("projected", {}).get("sources", ()):
            for item in source["secret"]["items"]:
                yield source["secret"]["name"], item["key"], f"{at[volume['name']]}/{item['path']}"


def selected(selector: dict[str, Any]) -> set[str]:
    """Return the workloads whose pods a selector takes."""

    def taken(labels: dict[str, str]) -> bool:
        wanted = selector.get("matchLabels", {}).items() <= labels.items()
        return wanted and all(labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", ()))

    return {name for name in PODS if taken(pod(name)["metadata"]["labels"])}


@pytest.mark.parametrize("path", files(), ids=in_words)
def test_the_topics_and_users_are_those_that_the_code_makes(path: Path) -> None:
    assert path.read_text() == files()[path], "write it anew: python -m stack.kubernetes"


@pytest.mark.parametrize("one", NATIVE)
def test_kubernetes_takes_each_object(one: dict[str, Any]) -> None:
    kubernetes_validate.validate(one, VERSION, strict=True)


def test_an_unknown_field_is_found() -> None:
    with pytest.raises(kubernetes_validate.ValidationError, match="runAsNotRoot"):
        kubernetes_validate.validate(
            {"apiVersion": "v1", "kind": "Pod", "spec": {"securityContext": {"runAsNotRoot": True}, "containers": []}},
            VERSION,
            strict=True,
        )


def test_each_resource_of_an_operator_has_what_it_must_have() -> None:
    for path, one in OBJECTS:
        for field in OPERATORS.get(one["apiVersion"], {}).get(one["kind"], ()):
            here = one["spec"]
            for part in field.split("."):
                assert part in here, f"{path}: {one['kind']} has no {field}"
                here = here[part]
    known = {(version, kind) for version, kinds in OPERATORS.items() for kind in kinds}
    assert {(one["apiVersion"], one["kind"]) for _, one in OBJECTS if one["apiVersion"] in OPERATORS} == known


def test_each_file_is_in_a_kustomization_and_no_other_is_named() -> None:
    named_files = [folder / name for folder, one in KUSTOMIZATIONS.items() for name in one.get("resources", ())]
    assert sorted(path for path in named_files if path.suffix) == MANIFESTS
    others = {folder / name for folder, one in KUSTOMIZATIONS.items() for name in one.get("components", ())}
    folders = {path.resolve() for path in (*others, *(path for path in named_files if not path.suffix))}
    assert folders | set((FOLDER / "overlays").iterdir()) == KUSTOMIZATIONS.keys()


def test_every_topic_is_a_resource_with_the_code_s_partitions_and_settings() -> None:
    wanted = {topic.name: (topic.partitions, topic.config()) for topic in TOPICS}
    wanted |= {changelog(state): (source.partitions, CHANGELOG) for state, source in STATES.items()}
    made = {}
    for one in all_of("KafkaTopic"):
        config = {key: str(value) for key, value in one["spec"]["config"].items()}
        assert int(config.pop("min.insync.replicas")) < one["spec"]["replicas"] == 3
        assert one["metadata"]["labels"] == {"strimzi.io/cluster": CLUSTER}
        made[one["metadata"]["name"]] = one["spec"]["partitions"], config
    assert made == wanted


def test_no_user_may_create_or_change_topics_and_programs_write_data_alone() -> None:
    writes: dict[str, set[str]] = {}
    for one in all_of("KafkaUser"):
        acls = one["spec"]["authorization"]["acls"]
        assert {operation for acl in acls for operation in acl["operations"]} == {
            *("Read", "Write", "Describe", "DescribeConfigs")
        }
        topics = [
            acl["resource"] for acl in acls if acl["resource"]["type"] == "topic" and "Write" in acl["operations"]
        ]
        writes[one["metadata"]["name"]] = {resource["name"] for resource in topics}
    assert writes == {
        USER: {*(topic.name for topic in TOPICS), "foretick-worker-"},
        PROGRAM: {topic.name for topic in TOPICS if topic.open},
    }
    assert all(changelog(state).startswith("foretick-worker-") for state in STATES)


def test_every_component_is_there_or_is_named_as_left_out() -> None:
    assert {component(name) for name in OURS} == {*NAMES, "init", "live"} - LEFT_OUT
    ours = {name for name, service in SERVICES.items() if service["image"].startswith("foretick:")}
    assert {component(name) for name in OURS} == ours - LEFT_OUT - {"secrets"}  # which are Kubernetes' own
    assert "Left out is the replay of the bundled sample" in PAGE


@pytest.mark.parametrize("name", OURS)
def test_each_command_line_is_that_of_docker_compose(name: str) -> None:
    service, here = SERVICES[component(name)], container(name)
    assert here["image"] == service["image"]
    assert here["command"] == service["entrypoint"]
    if component(name) != "live":  # there the venue is the rest
        assert here.get("args", []) == service.get("command", [])


def test_the_redis_is_that_of_docker_compose() -> None:
    assert container("redis")["image"] == SERVICES["redis"]["image"]


@pytest.mark.parametrize("name", PODS)
def test_each_pod_has_as_few_rights_as_there_are(name: str) -> None:
    spec, here = pod(name)["spec"], container(name)
    assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
    assert name == "redis" or (spec["shareProcessNamespace"] and SERVICES[component(name)]["init"])
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers", "serviceAccountName"} & spec.keys()
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert here["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert here["resources"].keys() == {"requests", "limits"}
    assert all(one.keys() == {"cpu", "memory"} for one in here["resources"].values())
    assert {one["name"] for one in here["volumeMounts"]} == {one["name"] for one in spec["volumes"]}
    assert "USER 10001:10001" in (ROOT / "docker/Dockerfile").read_text()


@pytest.mark.parametrize("name", OURS)
def test_each_pod_has_the_home_and_a_place_for_temporary_files(name: str) -> None:
    at = {one["mountPath"]: one["name"] for one in container(name)["volumeMounts"]}
    volumes = {one["name"]: one for one in pod(name)["spec"]["volumes"]}
    assert volumes[at["/data"]]["persistentVolumeClaim"] == {
        "claimName": named("PersistentVolumeClaim", "home")["metadata"]["name"]
    }
    assert "emptyDir" in volumes[at[SETTINGS["HOME"]]]
    assert SETTINGS["FORETICK_HOME"].startswith("/data/")


@pytest.mark.parametrize("name", [name for name in PODS if PODS[name]["kind"] != "Job"])
def test_each_probe_asks_what_the_component_serves(name: str) -> None:
    here, served = container(name), Probe(component(name))
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        request = here[probe].get("httpGet")
        if name == "redis":
            assert request is None
        elif request["port"] == "metrics":
            assert served.answer(request["path"])[0] == 200
            assert "foretick" not in served.answer(request["path"])[2].decode()  # no metrics
        else:
            assert (request["path"], request["port"]) == ("/health", "http")
            assert request["httpHeaders"] == [{"name": "Host", "value": "localhost"}]  # else it is a foreign host
    if component(name) in (*MEASURED, "live"):
        assert str(ports(name)["metrics"]) == SETTINGS["FORETICK_METRICS_PORT"]
        assert (
            here["livenessProbe"]["httpGet"]
            == here["startupProbe"]["httpGet"]
            == {"path": "/health", "port": "metrics"}
        )
        pages = {"path": "/health", "port": "http", "httpHeaders": [{"name": "Host", "value": "localhost"}]}
        ready = pages if name in ("dashboard", "api") else {"path": "/ready", "port": "metrics"}
        assert here["readinessProbe"]["httpGet"] == ready


def test_the_pages_are_at_the_ports_of_the_settings() -> None:
    fields = Settings.model_fields
    assert ports("dashboard")["http"] == fields["dashboard_port"].default
    assert ports("api")["http"] == fields["api_port"].default
    for service in all_of("Service"):
        name = service["metadata"]["name"]
        assert selected({"matchLabels": service["spec"]["selector"]}) == {name}
        for one in service["spec"]["ports"]:
            assert ports(name)[one["targetPort"]] == one["port"]


def test_every_variable_is_a_setting_that_can_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {one["name"]: one.get("value", "") for name in OURS for one in container(name)["env"]}
    assert list(unknown_variables(dict.fromkeys({**given, **SETTINGS}, "x"), Settings.model_fields)) == []
    assert {name for name in {**given, **SETTINGS} if not name.startswith("FORETICK_")} == OF_LIBRARIES
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert (settings.kafka, settings.kafka_user, settings.kafka_security) == (
        f"{CLUSTER}-kafka-bootstrap:9093",
        USER,
        "SASL_SSL",
    )
    trainer = {one["name"]: one["value"] for one in container("trainer")["env"] if "value" in one}
    assert trainer.items() <= SERVICES["trainer"]["environment"].items()


def test_the_settings_are_the_generated_config_map() -> None:
    (made,) = KUSTOMIZATIONS[FOLDER / "base"]["configMapGenerator"]
    assert (made["name"], made["envs"]) == ("settings", ["settings.env"])
    assert all(container(name)["envFrom"] == [{"configMapRef": {"name": "settings"}}] for name in OURS)


def test_a_worker_has_its_pod_s_name() -> None:
    for name in ("worker", "persist"):
        assert PODS[name]["kind"] == "StatefulSet"
        (field,) = [one["valueFrom"] for one in container(name)["env"] if one["name"] == "FORETICK_WORKER_NAME"]
        assert field == {"fieldRef": {"fieldPath": "metadata.name"}}


def test_every_secret_that_is_referenced_is_in_the_page_s_table() -> None:
    table = PAGE.partition("## Secrets")[2].partition("```")[0]
    rows = re.findall(r"^\| `([\w-]+)` \| (.+?) \| .+ \|$", table, re.MULTILINE)
    documented = {(name, key) for name, keys in rows for key in re.findall(r"`([\w.]+)`", keys)}
    documented = {(name, key) for name, key in documented if key != "components"}
    used = {reference for name in PODS for reference in secrets(name).values()}
    used |= {(secret, key) for name in OURS for secret, key, _ in mounted(name)}
    assert used == documented
    assert ("foretick", "password") in used
    assert not [path for path, one in OBJECTS if one["kind"] == "Secret"]


def test_the_operators_make_the_secrets_by_these_names() -> None:
    assert named("KafkaUser", USER)["spec"]["authentication"] == {"type": "scram-sha-512"}  # a secret of that name
    assert f"{named('Kafka', CLUSTER)['metadata']['name']}-cluster-ca-cert" == "foretick-cluster-ca-cert"
    cluster = named("Cluster", "database")
    assert cluster["spec"]["bootstrap"]["initdb"] == {"database": "foretick", "owner": "foretick"}  # its `database-app`
    assert named("Database", "foretick")["spec"]["cluster"] == {"name": cluster["metadata"]["name"]}
    assert "timescaledb" in cluster["spec"]["postgresql"]["shared_preload_libraries"]


@pytest.mark.parametrize("name", OURS)
def test_who_uses_a_server_checks_its_certificate(name: str) -> None:
    files_there = {path: secret for secret, _, path in mounted(name)}
    wanted = {}
    if "FORETICK_KAFKA_PASSWORD" in secrets(name):
        wanted[SETTINGS["FORETICK_KAFKA_CA"]] = "foretick-cluster-ca-cert"
    if "FORETICK_DATABASE_URL" in secrets(name):
        wanted[SETTINGS["PGSSLROOTCERT"]] = "database-ca"
    assert files_there == wanted
    assert SETTINGS["PGSSLMODE"] == "verify-full"


@pytest.mark.parametrize("policy", REACHED)
def test_who_has_a_server_s_secret_may_go_there_and_nobody_else(policy: str) -> None:
    users = {name for name in OURS if REACHED[policy] in secrets(name)} - (
        {"mlflow"} if policy == "to-mlflow" else set()
    )
    assert selected(named("NetworkPolicy", policy)["spec"]["podSelector"]) == users
    if policy == "to-mlflow":
        (rule,) = named("NetworkPolicy", "from-mlflow-clients")["spec"]["ingress"]
        assert selected(rule["from"][0]["podSelector"]) == users


def test_everything_is_refused_that_no_policy_allows() -> None:
    deny = named("NetworkPolicy", "default-deny")["spec"]
    assert selected(deny["podSelector"]) == PODS.keys()
    assert deny == {"podSelector": deny["podSelector"], "policyTypes": ["Ingress", "Egress"]}
    for one in all_of("NetworkPolicy"):
        assert {kind.lower() for kind in one["spec"]["policyTypes"]} >= one["spec"].keys() & {"ingress", "egress"}


def test_a_policy_names_ports_that_are_there() -> None:
    servers = {
        "strimzi.io/cluster": {one["port"] for one in named("Kafka", CLUSTER)["spec"]["kafka"]["listeners"]},
        "cnpg.io/cluster": {5432, 8000},
    }
    for one in all_of("NetworkPolicy"):
        spec = one["spec"]
        for rule in spec.get("ingress", ()):
            here = {number for name in selected(spec["podSelector"]) for number in ports(name).values()}
            known = here or servers["cnpg.io/cluster"]
            assert {port["port"] for port in rule["ports"]} <= known, one["metadata"]["name"]
        for rule in spec.get("egress", ()):
            for peer in rule["to"]:
                labels = peer.get("podSelector", {}).get("matchLabels", {})
                there = {number for name in selected({"matchLabels": labels}) for number in ports(name).values()}
                known = there if labels and there else servers.get(next(iter(labels), ""), {53, 443, 465, 587, 9443})
                assert {port["port"] for port in rule["ports"]} <= known, one["metadata"]["name"]


def test_what_runs_more_than_once_keeps_one_while_nodes_are_emptied() -> None:
    several = {name for name, one in PODS.items() if one["spec"].get("replicas", 1) > 1}
    budgets = all_of("PodDisruptionBudget")
    assert {one["metadata"]["name"] for one in budgets} == several == {"worker", "api"}
    for one in budgets:
        assert selected(one["spec"]["selector"]) == {one["metadata"]["name"]}
        assert one["spec"]["maxUnavailable"] == 1
    for name in PODS.keys() - several - {"persist", "dashboard", "init"}:
        assert PODS[name]["spec"]["strategy"] == {"type": "Recreate"}
    assert all(selected(PODS[name]["spec"]["selector"]) == {name} for name in PODS if PODS[name]["kind"] != "Job")


def test_the_workers_are_scaled_by_a_metric_that_is_there_up_to_one_a_partition() -> None:
    spec = named("ScaledObject", "worker")["spec"]
    (trigger,) = spec["triggers"]
    (metric,) = re.findall(r"foretick_\w+", trigger["metadata"]["query"])
    assert metric in {one.name for one in metrics()}
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": PODS["worker"]["kind"], "name": "worker"}
    assert spec["minReplicaCount"] == PODS["worker"]["spec"]["replicas"]
    assert {topic.partitions for topic in READ_BY_WORKER} == {spec["maxReplicaCount"]}
    # With Value the autoscaler multiplies the pods that are ready, and who lags for ten minutes is not.
    assert (trigger["type"], trigger["metricType"]) == ("prometheus", "AverageValue")
    behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] > behavior["scaleUp"]["stabilizationWindowSeconds"]


LINES = [
    line.partition(" #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
KINDS = {"deploy": "Deployment", "statefulset": "StatefulSet", "job": "Job", "service": "Service"}


@pytest.mark.parametrize("line", LINES)
def test_a_documented_line_names_what_there_is(line: str) -> None:
    words = shlex.split(line)
    assert words[0] in ("docker", "kubectl")
    for option, path in pairwise(words):
        if option in ("-k", "-f"):
            assert (ROOT / path).exists()
    if words[:2] == ["docker", "build"]:
        assert (ROOT / words[words.index("-f") + 1]).name == "Dockerfile"
    for kind, name in re.findall(r"\b(deploy|statefulset|job|service)[/ ](\w[a-z-]*)", line):
        assert named(KINDS[kind], name)
    if "secret" in words:
        keys = set(re.findall(r"--from-literal=(\w+)=", line))
        assert {(words[words.index("generic") + 1], key) for key in keys} <= {
            reference for name in PODS for reference in secrets(name).values()
        }
    for name, number in re.findall(r"service/(\w+) (\d+)", line):
        assert named("Service", name)["spec"]["ports"][0]["port"] == int(number)


@pytest.mark.parametrize("overlay", sorted(path.name for path in (FOLDER / "overlays").iterdir()))
def test_kustomize_builds_each_overlay(overlay: str) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl, which has kustomize in it")
    done = subprocess.run(
        ["kubectl", "kustomize", str(FOLDER / "overlays" / overlay)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    for one in (one for one in built if one["apiVersion"] not in OPERATORS):
        kubernetes_validate.validate(one, VERSION, strict=True)
    assert {one["metadata"].get("namespace", "foretick") for one in built} == {"foretick"}
    images = set(re.findall(r"image: (\S+)", done.stdout))
    assert images <= {"registry.example/foretick:0.1.0", SERVICES["redis"]["image"]}
    (worker,) = [one for one in built if (one["kind"], one["metadata"]["name"]) == ("StatefulSet", "worker")]
    assert ("replicas" in worker["spec"]) is (overlay != "scaled")
