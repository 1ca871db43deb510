import json
from collections.abc import Callable
from pathlib import Path

import pytest

from regisseur_serving.adapters.download import Download
from regisseur_serving.adapters.folder_digest import digest_folder
from regisseur_serving.adapters.retrying import Retrying
from regisseur_serving.core.artifact_uri import Place, parse_artifact_uri
from regisseur_serving.core.listing import parse_keys, parse_listing
from regisseur_serving.errors import DigestError, FetchError, UnservableError
from regisseur_serving.ports.artifacts import Entry
from regisseur_serving.settings.fetch import read_fetch_settings


class MemoryStore:
    """An artifact store in memory; a path that ends with / is an empty folder."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def list_folder(self, path: str) -> list[Entry]:
        """Return what lies directly in a folder."""
        found: dict[str, Entry] = {}
        for name, content in self._files.items():
            head, _, rest = name.partition(f"{path}/")
            if head:
                continue
            first, is_deeper, _ = rest.partition("/")
            size_bytes = 0 if is_deeper else len(content)
            found[first] = Entry(first, bool(is_deeper), size_bytes)
        return list(found.values())

    def read_file(self, path: str, size_bytes: int, write: Callable[[bytes], object]) -> None:
        """Hand out a whole file at once."""
        assert len(self._files[path]) == size_bytes
        write(self._files[path])


def run(
    destination: Path,
    files: dict[str, bytes],
    source: str = "s",
    expected_digest: str = "",
    size_limit_bytes: int = 0,
) -> Download:
    download = Download(
        store=MemoryStore({f"m/{name}": content for name, content in files.items()}),
        path="m",
        source=source,
        destination=destination,
        retrying=Retrying(pytest.fail),
        expected_digest=expected_digest,
        size_limit_bytes=size_limit_bytes,
    )
    if not download.is_done():
        with download.workspace() as folder:
            download.put_in_place(folder, download.collect(folder))
    return download


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("mlflow-artifacts:/1/models/m-1/artifacts", "1/models/m-1/artifacts"),
        ("mlflow-artifacts:///1/a b/", "1/a b"),
        ("mlflow-artifacts:1/x", "1/x"),
    ],
)
def test_a_proxied_address_gives_its_path(uri: str, path: str) -> None:
    assert parse_artifact_uri(uri) == Place(path)


@pytest.mark.parametrize("uri", ["s3://my.bucket-1/1/a b%2F", "s3://my.bucket-1//1/a b%2F/"])
def test_a_bucket_address_gives_bucket_and_key(uri: str) -> None:
    assert parse_artifact_uri(uri) == Place("1/a b%2F", bucket="my.bucket-1")


@pytest.mark.parametrize(
    ("uri", "complaint"),
    [
        pytest.param("gs://bucket/key", "only .* and s3://<bucket>/<key> are", id="another store"),
        pytest.param("/plain/path", "only mlflow-artifacts:/<path> and s3://", id="a path"),
        pytest.param("s3:/bucket/key", "names no bucket", id="no bucket"),
        pytest.param("s3://../key", "names no bucket", id="a bucket that leads out"),
        pytest.param("s3://user:example@bucket/key", "names no bucket", id="a user"),
        pytest.param("s3://bucket/", "has no path", id="a whole bucket"),
        pytest.param("s3://bucket/a/../b", "no plain file name", id="a way out of a key"),
        pytest.param("s3://bucket/a//b", "no plain file name", id="a folder without a name"),
        pytest.param("mlflow-artifacts://elsewhere/1", "a server of its own", id="another host"),
        pytest.param("mlflow-artifacts:/", "has no path", id="no path"),
        pytest.param("mlflow-artifacts:/1/../2", "no plain file name", id="a way out"),
    ],
)
def test_another_address_is_refused_with_what_is_supported(uri: str, complaint: str) -> None:
    with pytest.raises(FetchError, match=complaint):
        parse_artifact_uri(uri)


def test_a_listing_is_read() -> None:
    document = {
        "files": [
            {"path": "MLmodel", "is_dir": False, "file_size": "7"},
            {"path": "empty", "is_dir": False},
            {"path": "data", "is_dir": True},
        ]
    }
    assert parse_listing(document) == [
        Entry("MLmodel", is_folder=False, size_bytes=7),
        Entry("empty", is_folder=False, size_bytes=0),
        Entry("data", is_folder=True, size_bytes=0),
    ]
    assert parse_listing({}) == []


@pytest.mark.parametrize(
    "name",
    ["..", ".", "", "/etc/passwd", "a/b", "../x", "a\\b", "a\x00b", "a\nb", "x" * 256],
    ids=repr,
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(FetchError, match="no plain file name"):
        parse_listing({"files": [{"path": name, "is_dir": False, "file_size": 1}]})


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {"files": {}},
        {"files": [1]},
        {"files": [{"path": 1}]},
        {"files": [{"path": "a", "file_size": -1}]},
        {"files": [{"path": "a", "file_size": "much"}]},
        {"files": [{"path": "a", "file_size": None}]},
        {"files": [{"path": "a"}, {"path": "a"}]},
    ],
    ids=repr,
)
def test_nonsense_is_no_listing(document: object) -> None:
    with pytest.raises(FetchError):
        parse_listing(document)


def test_a_page_of_keys_is_read() -> None:
    page = {
        "CommonPrefixes": [{"Prefix": "m/data/"}],
        "Contents": [{"Key": "m/", "Size": 0}, {"Key": "m/MLmodel", "Size": 7}],
    }
    assert parse_keys(page, "m/") == [
        Entry("data", is_folder=True, size_bytes=0),
        Entry("MLmodel", is_folder=False, size_bytes=7),
    ]
    assert parse_keys({}, "m/") == []


@pytest.mark.parametrize(
    "page",
    [
        {"Contents": [{"Key": "x/MLmodel", "Size": 1}]},
        {"Contents": [{"Size": 1}]},
        {"Contents": [{"Key": "m/a", "Size": -1}]},
        {"Contents": [{"Key": "m/a"}]},
        {"Contents": [{"Key": "m/..", "Size": 1}]},
        {"Contents": [{"Key": "m/a/b", "Size": 1}]},
        {"CommonPrefixes": [{"Prefix": "m/a"}]},
        {"CommonPrefixes": [{"Prefix": "m//"}]},
    ],
    ids=repr,
)
def test_nonsense_is_no_page_of_keys(page: dict[str, object]) -> None:
    with pytest.raises(FetchError):
        parse_keys(page, "m/")


def test_all_files_arrive_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "current"
    run(target, {"MLmodel": b"m", "data/model.skops": b"12345", "data/deep/x": b""})
    files = {p.relative_to(target).as_posix(): p.read_bytes() for p in target.rglob("*.*")}
    assert files == {"data/model.skops": b"12345"}
    assert (target / "data/deep/x").read_bytes() == b""
    assert sorted(p.name for p in tmp_path.iterdir()) == ["current", "current.fetched"]


def test_the_same_model_is_not_fetched_twice(tmp_path: Path) -> None:
    target = tmp_path / "current"
    run(target, {"MLmodel": b"m"})
    assert run(target, {}).is_done()


def test_another_model_takes_the_place(tmp_path: Path) -> None:
    target = tmp_path / "current"
    run(target, {"MLmodel": b"old", "old": b""}, source="1")
    run(target, {"MLmodel": b"new"}, source="2")
    assert [p.name for p in target.iterdir()] == ["MLmodel"]
    assert (target / "MLmodel").read_bytes() == b"new"


@pytest.mark.parametrize("harm", ["truncated", "deleted", "no marker", "broken marker"])
def test_what_is_not_whole_is_fetched_again(tmp_path: Path, harm: str) -> None:
    target = tmp_path / "current"
    run(target, {"MLmodel": b"whole"})
    marker = tmp_path / "current.fetched"
    match harm:
        case "truncated":
            (target / "MLmodel").write_bytes(b"wh")
        case "deleted":
            (target / "MLmodel").unlink()
        case "no marker":
            marker.unlink()
        case "broken marker":
            marker.write_text(json.dumps([]))
    run(target, {"MLmodel": b"whole"})
    assert (target / "MLmodel").read_bytes() == b"whole"


def test_leftovers_of_a_killed_download_are_removed(tmp_path: Path) -> None:
    leftover = tmp_path / ".current.fetch-abc"
    leftover.mkdir()
    (leftover / "half").write_bytes(b"x")
    run(tmp_path / "current", {"MLmodel": b"m"})
    assert not leftover.exists()


def test_a_folder_without_a_model_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="no file MLmodel"):
        run(tmp_path / "current", {"other": b""})
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_cannot_be_written_is_told_from_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FetchError, match="cannot write below"):
        run(tmp_path / "file" / "current", {"MLmodel": b"m"})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"REGISSEUR_ARTIFACT_URI": ""}, "REGISSEUR_ARTIFACT_URI is not set"),
        ({"REGISSEUR_REGISTRY_URL": " "}, "REGISSEUR_REGISTRY_URL is not set"),
        ({"REGISSEUR_FETCH_TIMEOUT_SECONDS": "soon"}, "number of seconds"),
        ({"REGISSEUR_FETCH_TIMEOUT_SECONDS": "nan"}, "number of seconds"),
        ({"REGISSEUR_FETCH_TIMEOUT_SECONDS": "0"}, "number of seconds"),
        ({"REGISSEUR_MODEL_SIZE_LIMIT_BYTES": "2Gi"}, "number of bytes"),
        ({"REGISSEUR_MODEL_SIZE_LIMIT_BYTES": "-1"}, "number of bytes"),
    ],
)
def test_a_senseless_setting_is_named(changes: dict[str, str], complaint: str) -> None:
    good = {"REGISSEUR_ARTIFACT_URI": "mlflow-artifacts:/1", "REGISSEUR_REGISTRY_URL": "http://m"}
    assert read_fetch_settings(good).timeout_seconds == 3600
    with pytest.raises(ValueError, match=complaint):
        read_fetch_settings(good | changes)


def test_the_credentials_of_mlflows_own_client_are_read_and_not_shown() -> None:
    settings = read_fetch_settings(
        {
            "REGISSEUR_ARTIFACT_URI": "mlflow-artifacts:/1",
            "REGISSEUR_REGISTRY_URL": "http://m",
            "MLFLOW_TRACKING_USERNAME": "ann\n",
            "MLFLOW_TRACKING_PASSWORD": "example pass\r\n",
            "MLFLOW_TRACKING_TOKEN": " example-token\n",
        }
    )
    assert (settings.username, settings.password) == ("ann", "example pass")
    assert settings.token == "example-token"
    assert "example" not in repr(settings)


def test_files_are_digested_on_their_way_to_the_disk(tmp_path: Path) -> None:
    target = tmp_path / "current"
    run(target, {"MLmodel": b"m", "data/x": b"12"})
    digest = json.loads((tmp_path / "current.fetched").read_text())["digest"]
    assert digest == digest_folder(target).digest
    assert digest_folder(target).bytes == 3


def test_what_no_digest_covers_is_not_fetched(tmp_path: Path) -> None:
    target = tmp_path / "current"
    name = "registered_model_meta"
    run(target, {"MLmodel": b"m", name: b"anything", f"data/{name}": b"1", f"{name}.txt": b"2"})
    files = sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file())
    assert files == ["MLmodel", f"data/{name}", f"{name}.txt"]


def test_other_files_than_the_expected_ones_are_left_out(tmp_path: Path) -> None:
    target = tmp_path / "current"
    with pytest.raises(DigestError, match="register a new version") as caught:
        run(target, {"MLmodel": b"m"}, expected_digest=f"sha256:{'0' * 64}")
    assert str(caught.value).count("sha256:") == 2
    assert list(tmp_path.iterdir()) == []


def test_a_model_larger_than_the_pod_takes_is_not_downloaded(tmp_path: Path) -> None:
    target = tmp_path / "current"
    files = {"MLmodel": b"m" * 40, "model.skops": b"s" * 60}
    with pytest.raises(UnservableError, match=r"has 100 bytes .* takes 99 bytes .* at most; log a"):
        run(target, files, size_limit_bytes=99)
    assert not target.exists()
    assert run(target, files, size_limit_bytes=100).is_done()


def test_a_restarted_container_is_checked_all_the_same(tmp_path: Path) -> None:
    target = tmp_path / "current"
    run(target, {"MLmodel": b"m"})
    digest = digest_folder(target).digest
    assert run(target, {}, expected_digest=digest).is_done()
    with pytest.raises(DigestError):
        run(target, {"MLmodel": b"m"}, expected_digest="sha256:0")
