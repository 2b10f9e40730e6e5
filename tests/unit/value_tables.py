"""Good and bad values of each type of setting: what their reader accepts, and what it does not.

Those of Kubernetes' own types were compared with the API server of Kubernetes 1.36 by a server-side
dry run; git refs with `git check-ref-format`.
"""

from typing import Any

LONG = "a" * 64
DNS_253 = ".".join(["a" * 63] * 3 + ["a" * 61])
DIGEST = "sha256:" + "0" * 64

LABELS_GOOD = ["a", "airflow", "team-1", "1", "a--b", "a" * 63]
LABELS_BAD = ["", "A", "a_b", "-a", "a-", "a.b", "a b", "a/b", "ä", LONG, "a\n", "a\t"]
SUBDOMAINS_GOOD = [*LABELS_GOOD, "a.b", "db.team.example", LONG, DNS_253]
SUBDOMAINS_BAD = ["", "A", "a_b", "-a", "a-", "a..b", ".a", "a.", "a-.b", "a.-b", "a b", "a/b",
                  DNS_253 + "a", "a\n"]  # fmt: skip
CPU_GOOD = [
    "500m",
    "1",
    "0.5",
    ".5",
    "1.",
    "+1",
    "1e0",
    "1E1",
    "1500000u",
    "2000000000n",
    "0.001",
    "1k",
]
CPU_BAD = [
    "", "0", "0m", "0.0", "-1", "1 m", "1M1", "m", "500 m", "0.0001", "1u", "1.5m", "1500u", "x",
    "1K", "1mi", "0x10", "1e", "1e400", "9" * 400, "1E18", "9Ei", "10e10", "¹", "1_000",
]  # fmt: skip
MEMORY_GOOD = [
    "512Mi", "1Gi", "1.5Gi", "0.5Gi", ".5Gi", "512M", "1G", "536870912", "1e9", "524288Ki",
    "600000k", "+1Gi", "1Ti", "1e+9",
]  # fmt: skip
MEMORY_BAD = ["", "0", "384m", "1024m", "536870912000m", "1000000000000000u", "1n", "20", "512",
              "1Ki", "1.1Gi", "0.3Mi", "-1Gi", "1gi", "1GI", "1MB", "512MiB", "1 Gi", "1K", "Mi",
              "1e400", "9" * 400, "8Ei", "1e-3", "16777216.5", "1Gi\n"]  # fmt: skip
STORAGE_GOOD = ["1Gi", "20Gi", "1.5Ti", "1Pi", "1P", "1E", "1Ei", "1e12", "10G", "5Mi", "20971520"]
STORAGE_BAD = [
    "", "0", "0Gi", "20", "100", "20m", "2000000000m", "1u", "-1Gi", "1.1Gi", "20GB", "Gi", "8Ei",
    "16Ei", "9" * 400, "1e99", "1e400", "20 Gi", "20gi", "1Zi",
]  # fmt: skip
LABEL_KEYS_GOOD = ["a", "A_b.c-d", "kubernetes.io/arch", "a.b/c", "1/2", "a" * 63, "x" * 63 + "/y",
                   DNS_253 + "/" + "k" * 63]  # fmt: skip
LABEL_KEYS_BAD = ["", "/a", "a/", "a/b/c", "a-.b/c", "-a.b/c", "A.b/c", "a..b/c", "a b", "-a", "a-",
                  "_a", LONG, "a/" + LONG, DNS_253 + "a/b", "ä", "a\n", "a:b"]  # fmt: skip
LABEL_VALUES_GOOD = ["", "a", "A.b_c-d", "1", "a" * 63]
LABEL_VALUES_BAD = ["-a", "a-", "a b", "a/b", "ä", LONG, "a\n", ".a", "a:"]
SCHEDULES_GOOD = [
    "0 2 * * *", "*/30 * * * 1-5", "5/15 0,12 ? jan-mar SUN", "0 0 29 2 *", "0 0 31 1,2 *",
    "0 0 31 2 1", "0 0 30 2 */2", "*/90 * * * *", "@daily", "30-30 * * * *", "0 0 31 * *",
]  # fmt: skip
SCHEDULES_BAD = [
    "", "daily", "@every 1h", "@reboot", "@Daily", "0 2 * *", "0 2 * * * *", "60 2 * * *",
    "0 24 * * *", "0 2 0 * *", "0 2 32 * *", "0 2 * 13 *", "0 2 * * 7", "5-1 * * * *",
    "* * * dec-jan *", "* * * * fri-mon", "*/0 * * * *", "5/0 * * * *", "1- * * * *",
    "-1 * * * *", "1,,2 * * * *", "*-5 * * * *", "1-5-9 * * * *", "TZ=UTC 0 2 * * *",
    "CRON_TZ=UTC 0 2 * * *", "0 0 31 2 *", "0 0 30 feb *", "0 0 31 4,6,9,11 ?", "1.5 * * * *",
    "a * * * *", "0 2 L * *", "0 2 * * 1#2", "H 2 * * *", "9" * 5000 + " * * * *",
]  # fmt: skip
URLS_GOOD = [
    "http://localhost:8080", "https://airflow.example.com", "https://h.example.com/airflow",
    "https://h/a/b.c_d~e", "http://10.0.0.1:30080", "http://[::1]:8080", "http://[2001:db8::1]",
    "https://H.Example.com", "https://h.example.com.", "https://xn--bcher-kva.example",
    "http://h:1", "http://h:65535", "https://h/a%20b",
]  # fmt: skip
URLS_BAD = [
    "", "h.example.com", "h.example.com:8080", "http:/h", "http://", "http:///a", "HTTPS://h",
    "Http://h", "ftp://h", "//h", "http://h/", "http://h/airflow/", "http://h//a",
    "http://h/a//b", "http://h/../a", "http://h/./a", "http://[::1", "http://::1",
    "http://[::1]x", "http://[::g]", "http://[fe80::1%eth0]", "http://h:", "http://h:0",
    "http://h:99999", "http://h:65536", "http://h:8080:1", "http://h:x", "http://h:-1",
    "http://h:\uff18\uff10", "http://h?a=b", "http://h/a?b", "http://h#top", "http://h/a#b",
    "http://a b", "http://h/a b", " http://h", "http://h\n", "http://h/\x07", "http://a_b",
    "http://-a", "http://a-", "http://a..b", "http://.a", "http://1.2.3", "http://256.1.1.1",
    "http://h/a\\b", "http://h/$HOME", "http://h/<a>", "http://h/%zz", "http://hé",
    "http://" + LONG + ".com",
]  # fmt: skip
HOSTS_GOOD = ["db", "db.example.com", "DB-1.example.com", "10.0.0.5", "db.example.com.", "a" * 63,
              "mysql.database.svc.cluster.local", "1db", "xn--bcher-kva.example"]  # fmt: skip
HOSTS_BAD = [
    "", "db:3306", "db.example.com:3306", "https://db", "mysql://db", "db/airflow", "user@db",
    "::1", "[::1]", "[::1]:3306", "2001:db8::1", "a_b", "-db", "db-", "a..b", ".db", "db name",
    "db\n", "dbé", LONG, "256.1.1.1", "1.2.3", "1.2.3.4.5", "localhost", "127.0.0.1", "127.1.2.3",
    "a." * 126 + "ab", "--help", "db,db2", "$(X)", "localhost.", "0x7f000001",
]  # fmt: skip
IMAGES_GOOD = [
    "mysql", "mysql:8.4", f"mysql@{DIGEST}", f"mysql:8.4@{DIGEST}", "library/mysql:8.4",
    "ghcr.io/a/b_c/d-e:v1.2-rc_3", "localhost:5000/mysql", "localhost/mysql", "h:5000/a.b/c__d",
    "10.244.0.1:5000/stand-in/mysql:9.7", "[::1]:5000/a:1", "a---b", "mysql:" + "t" * 128,
    "mysql:_x", "Registry.example.com/a",
]  # fmt: skip
IMAGES_BAD = [
    "", "mysql:8.4:9", "MySQL", "ghcr.io/Team/a", "mysql:", "mysql@", "mysql@sha256:short",
    "mysql@sha256:" + "0" * 63, "mysql@sha256:" + "A" * 64, "mysql@md5:" + "0" * 32,
    f"mysql@{DIGEST}@{DIGEST}", "mysql:" + "t" * 129, "mysql:.x", "mysql:-x", "mysql:a b",
    "mysql:8.4 ", " mysql", "https://ghcr.io/a", "ghcr.io//a", "ghcr.io/a/", "/a", "a/../b",
    "a/./b", "-a", "a-", "a._b", "a__" + "_b", "a..b", "h:99999/a", "h:0/a", "h:x/a", "my sql",
    "mysql\n", "a" * 256, "mysql:é", "{python}",
]  # fmt: skip
TEMPLATES_GOOD = ["python:{python}-slim-{base}", "python:{python}", "h:5000/python:{python}",
                  "ghcr.io/a/python-{base}:{python}"]  # fmt: skip
TEMPLATES_BAD = [
    "", "python:3.11", "python:{base}", "python:{python}:{base}", "python:{version}",
    "python:{python", "Python:{python}", f"python:{{python}}@{DIGEST}", "{python} {base}",
    "python:{{python}}", "https://h/python:{python}", "python:{python}{0}",
]  # fmt: skip
REGISTRIES_GOOD = ["ghcr.io/team", "registry.example.com", "localhost:5000", "10.244.0.1:5000",
                   "123456789012.dkr.ecr.eu-west-1.amazonaws.com/airflow", "h.example/a/b-c/d_e",
                   "docker.io/team"]  # fmt: skip
REGISTRIES_BAD = [
    "", "ghcr.io/..", "ghcr.io/.", "ghcr.io/", "ghcr.io//a", "https://ghcr.io/a", "oci://h/a",
    "ghcr.io/Team", "GHCR.io/team", "ghcr.io/a:1", f"ghcr.io/a@{DIGEST}", "h:99999/a", "h:/a",
    "h:x/a", "user@h/a", "ghcr.io/a b", " ghcr.io", "ghcr.io/-a", "ghcr.io/a-", "ghcr.io/a..b",
    "/a", "ghcr.io/a\n", "ghcr.io/é", "-h.io/a", "team", "ghcr.io/" + "a" * 250,
]  # fmt: skip
REFS_GOOD = [
    "main", "feature/#12", "v1.2.3", "release-1.0", "a/b/c", "a@b", "é", "a+b", "1" * 40, "HEAD",
    "refs/heads/main", "a.b", "x{y}", "a,b;c", "fix/(x)", "a$b", "dependabot/npm_and_yarn/x-1.2",
    "a!b", "a'b",
]  # fmt: skip
REFS_BAD = [
    "", "a..b", "a.lock", "a.lock/b", "@{", "a@{1}", "@", "a.", "/a", "a/", "a//b", ".a", "a/.b",
    "a b", "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b", "a\x07", "a\n", "a\x7f", "-a",
    "--upload-pack=x", "a..", "..a",
]  # fmt: skip
REFS_REPLACED = ["$(HOME)", "a$$b"]
"""Good ones, in which Kubernetes would replace something."""
FOLDERS_GOOD = [
    ".", "dags", "a/b", "pkg/@types/node", "a b", "é", "a.b/c_d", "#1", "a+b", ".github/dags",
    "x/-a", "a~",
]  # fmt: skip
FOLDERS_BAD = [
    "", "/", "/dags", "..", "../dags", "a/..", "a/../b", "./a", "a/.", "a//b", "a/", "-a",
    "--help", "a\\b", "a\n", "a\x00", ".git", "a/.git", "~", "~root/a", "$HOME", "a/.GIT", "a/$(x)",
]  # fmt: skip
REPOSITORIES_GOOD = [
    "https://git.example.com/team/dags.git", "http://h/a", "ssh://git@h/a.git",
    "ssh://git@h:2222/a.git", "git@github.com:team/dags.git", "git@h:a", "https://h:8443/a",
    "https://dev.azure.com/org/p/_git/r", "https://[::1]:8443/a.git", "org-1@github.com:a/b",
    "https://h/a%20b.git", "https://h/~me/a.git", "ssh://h/a.git",
]  # fmt: skip
REPOSITORIES_BAD = [
    "", "example.com/a.git", "http://[::1", "https://", "https://h", "https://h/", "ftp://h/a",
    "file:///a", "/srv/a.git", "../a", "git@h", "git@h:", "@h:a", "-oProxyCommand=x@h:a",
    "ssh://-oProxyCommand=x@h/a", "https://h/a?ref=b", "https://h/a#b", "https://h:99999/a",
    "https://a b/c", "https://h/a b", "https://h/a\n", "HTTPS://h/a", "ext::sh -c x", "h:a",
    "--upload-pack=x", "https://a_b/c", "git@a_b:c",
    "https://h/a\\b", "https://h/$(X)", "git@h:$(X)", "ssh://git@h/a$$b", "https://h/../a",
    "https://h/a/..", "https://h/%zz", "https://h/<a>", "git@h:" + "x" * 5000 + ":",
]  # fmt: skip
VARIABLES_GOOD = [
    "A", "a", "_", "A_1", "PYTHONPATH", "HOME", "AIRFLOW_CONN_WAREHOUSE", "AIRFLOW_VAR_X", "TZ",
    "MY_KUBERNETES",
]  # fmt: skip
VARIABLES_BAD = [
    "", "1A", "A-B", "A.B", "A B", "A=B", "é", "A\n", "AIRFLOW__CORE__EXECUTOR", "AIRFLOW__X__Y",
    "airflow__core__executor", "DATABASE_PASSWORD", "DATABASE_USER", "BROKER_PASSWORD",
    "AIRFLOW_HOME", "PATH", "KUBERNETES_SERVICE_HOST", "KUBERNETES_X",
    "KUBERNETES_QUEUE_EXECUTOR", "AIRFLOW_CONN_GIT_DAGS", "GIT_PASSWORD", "GIT_ASKPASS",
    "GIT_SERVER", "AIRFLOW_IS_K8S_EXECUTOR_POD", "TASK_PULL_SECRETS",
    "TASK_PRIORITY_CLASS", "PRIORITY_CLASSES_KEPT_FROM_DAGS",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "ADMIN_PASSWORD",
]  # fmt: skip
MOUNTS_GOOD = [
    "/data", "/data/", "/a/b", "/opt/data", "/mnt/a b", "//data", "/dev/shm", "/etc/app",
    "/home/user", "/tmpdata", "/usr/local/airflow-data", "/var/lib/data", "/a.b/é",
    "/dev/shm/a", "/devices", "/binaries", "/usr/lib/jvm", "/usr/share/fonts", "/etc/ssl/certs",
    "/usr/local/share/a", "/usr/local/lib/app",
]  # fmt: skip
MOUNTS_BAD = [
    "", "/", "//", "data", "./data", "~/data", "/data:ro", "/a/../tmp", "/..", "/tmp", "/tmp/",
    "//tmp", "/tmp/data", "/./tmp", "/usr/local/airflow", "/usr/local/airflow/logs",
    "/usr/local/airflow/logs/x", "/usr/local/airflow/dags", "/usr/local", "/usr", "/opt",
    "/opt/venv/lib", "/opt/task-images", "/var/run/secrets/kubernetes.io/serviceaccount",
    "/var/run/secrets", "/var", "/var/run", "/run", "/proc", "/proc/self", "/sys", "/dev", "/etc",
    "/bin", "/lib", "/usr/lib", "/a\n", "/a\x00", "/usr/local/airflow/pod_template.yaml",
    "/" + "a" * 5000,
    "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/passwd", "/etc/ld.so.cache",
    "/dev/null", "/dev/pts", "/dev/termination-log", "/bin/sh", "/usr/bin/env", "/lib64",
    "/usr/local/bin/python", "/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu/a",
    "/usr/local/lib/python3.11", "/usr/share", "/usr/share/zoneinfo", "/data ",
]  # fmt: skip
QUEUES_GOOD = ["default", "big.jobs", "A_b-c", "1", "q" * 256]
QUEUES_BAD = ["", "-a", "--help", "a,b", "a b", "é", "a\n", "a:b", "q" * 257]
USERNAMES_GOOD = ["admin", "a.b@example.com", "Jürgen", "first last", "a_b", "1", "u" * 256]
USERNAMES_BAD = [
    "", " ", "--help", "-a", " admin", "admin ", "a:b", "a,b", "a\nb", "a\x07",
    "$(ADMIN_PASSWORD)", "a$$b", "u" * 257,
]  # fmt: skip
EMAILS_GOOD = [
    "admin@example.com",
    "a+b@c.d",
    "admin@localhost",
    "é@example.com",
    "o'neil@b.c",
    "a@bücher.example",
]
EMAILS_BAD = [
    "", "admin", "@example.com", "admin@", "a@b@c", "a b@c.d", "--help", "-a@b.c", "a@b.c\n",
    "$(ADMIN_PASSWORD)@b.c", "a" * 510 + "@b.c",
    "<a@b.c>", "a@b..c", "a@.b", "a@b.", "a@-b.c", "a@b-", "mailto:a@b.c", "a@b/c", "a@b,c@d",
    "Ada <a@b.c>", "a@(b)",
]  # fmt: skip
PEOPLE_GOOD = ["Airflow", "Ada Maria", "Ó Súilleabháin", "X", "n" * 256]
PEOPLE_BAD = [
    "",
    "  ",
    "--help",
    "-",
    "a\nb",
    "a\tb",
    "a\x1b[31m",
    "$(ADMIN_PASSWORD)",
    "n" * 257,
    "a\u202eb",
]
DATABASES_GOOD = ["airflow", "Airflow_2", "_a", "mysql_airflow", "a" * 64]
DATABASES_BAD = [
    "", "mysql", "MySQL", "sys", "SYS", "information_schema", "performance_schema",
    "Performance_Schema", "ndbinfo", "1a", "a-b", "a.b", "a b", "a`b", "é", "a" * 65,
]  # fmt: skip
USERS_GOOD = ["airflow", "Airflow_2", "u" * 32]
USERS_BAD = ["", "root", "ROOT", "mysql.sys", "mysql.session", "a-b", "a@b", "u" * 33, "'a'", "a b"]
NAMESPACES_BAD = ["default", "kube-system", "kube-public", "kube-node-lease", "kube-x", "kube-"]
ENDPOINTS_GOOD = ["tcp://buildkit:1234", "unix:///run/buildkit.sock", "tcp://[::1]:1234",
                  "docker-container://x", "kube-pod://buildkit"]  # fmt: skip
ENDPOINTS_BAD = [
    "", "buildkit:1234", "tcp://", "tcp://h", "tcp://h:99999", "tcp://h:", "tcp://[::1",
    "http://h:1", "tcp://a b:1", "unix://", "unix://a", "tcp://h:1/x",
]  # fmt: skip
PACKAGES_GOOD = ["git", "g++", "libstdc++6", "python3.11", "openssh-client"]
PACKAGES_BAD = [
    "",
    "a",
    "Git",
    "git-",
    "-git",
    "git=1",
    "git curl",
    "git;x",
    "../x.deb",
    "git:amd64",
    "git/sid",
]
SECTIONS_BAD = ["", "bad section", "a/b", "a=b", "é", "a\n", "-a", "a" * 101, "a:b"]
TOLERATIONS_GOOD: list[Any] = [
    [], [{"operator": "Exists"}], [{"key": "", "operator": "Exists"}], [{"key": "a"}],
    [{"key": "a", "operator": "Exists"}], [{"key": "a", "value": ""}],
    [{"key": "a", "effect": "NoExecute", "tolerationSeconds": 0}],
    [{"key": "a", "effect": "NoExecute", "tolerationSeconds": 300}],
    [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoExecute"}],
    [{"key": "a", "value": "b"}, {"key": "a", "value": "c"}],
]  # fmt: skip
TOLERATIONS_BAD: list[Any] = [
    [{}], [{"operator": "Equal"}], [{"key": ""}], [{"value": "b"}], [{"effect": "NoSchedule"}],
    [{"key": "a", "operator": "Exists", "value": "x"}], [{"operator": "Exists", "value": "x"}],
    [{"key": "a", "operator": "In"}], [{"key": "a", "operator": ""}],
    [{"key": "a", "operator": "exists"}], [{"key": "a", "effect": "Never"}],
    [{"key": "a", "tolerationSeconds": 5}],
    [{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 5}],
    [{"key": "a", "effect": "NoExecute", "tolerationSeconds": -1}],
    [{"key": "a", "effect": "NoExecute", "tolerationSeconds": 2**63}],
    [{"key": "a"}, {"key": "a"}], [{"key": "a"}, {"key": "a", "value": ""}],
    [{"operator": "Exists"}, {"operator": "Exists"}],
    [
        {"key": "a", "effect": "NoExecute", "tolerationSeconds": 5},
        {"key": "a", "effect": "NoExecute", "tolerationSeconds": 6},
    ],
]  # fmt: skip
SETS_GOOD = ["default", "big", "1", "w" * 31]
SETS_BAD = ["", "Big", "-a", "a-", "a_b", "a.b", "--help", "w" * 32, "a b", "é"]
POOLS_BAD = ["", "0M", "512", "512Mi", "1.5G", "-1G", "1g", "1 G", "9" * 5000 + "M"]
BUILDERS_GOOD = ["airflow", "a.b_c-1", "default"]
BUILDERS_BAD = ["", "-a", "--help", "1a", "a b", "a/b", "é", "a\n"]
OWN_SECRETS = [
    "airflow-mysql", "airflow-keys", "airflow-admin", "airflow-celery", "airflow-registry"
]  # fmt: skip
OWN_CLAIMS = ["airflow-mysql", "airflow-redis", "airflow-backups"]
PLATFORMS_GOOD = [["linux/amd64"], ["linux/arm64", "linux/amd64"]]
PLATFORMS_BAD: list[Any] = [[], ["linux/amd64", "linux/amd64"], ["linux"], ["Linux/amd64"],
                            "linux/amd64", ["linux/arm64/v8"]]  # fmt: skip
VOLUMES_GOOD: list[Any] = [
    [],
    [{"name": "a", "mountPath": "/a", "claim": "c", "readOnly": False}],
    [
        {"name": "a", "mountPath": "/a", "claim": "c"},
        {"name": "b", "mountPath": "/a/b", "secret": "c"},
    ],
]
VOLUMES_BAD: list[Any] = [
    [{"name": "a", "mountPath": "/a"}],
    [{"name": "a", "claim": "c"}],
    [{"mountPath": "/a", "claim": "c"}],
    [{"name": "a", "mountPath": "/a", "claim": "c", "secret": "s"}],
    [{"name": "a", "mountPath": "/a", "hostPath": "/", "claim": "c"}],
    [
        {"name": "a", "mountPath": "/a", "claim": "c"},
        {"name": "a", "mountPath": "/b", "claim": "c"},
    ],
    [
        {"name": "a", "mountPath": "/a", "claim": "c"},
        {"name": "b", "mountPath": "/a", "claim": "c"},
    ],
    [
        {"name": "a", "mountPath": "/a", "claim": "c"},
        {"name": "b", "mountPath": "/a/", "claim": "c"},
    ],
    [
        {"name": "a", "mountPath": "/a", "claim": "c"},
        {"name": "b", "mountPath": "//a", "claim": "c"},
    ],
    [
        {"name": "a", "mountPath": "/a/b", "claim": "c"},
        {"name": "b", "mountPath": "/a/./b", "claim": "c"},
    ],
]
