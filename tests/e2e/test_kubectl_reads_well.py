"""What a person sees of a ModelDeployment with kubectl alone."""

from pathlib import Path

from support.wine import Wine


def test_kubectl_shows_what_is_served(wine: Wine) -> None:
    served = wine.served

    header, row = served.kubectl("get", "mdep", "-n", served.namespace).splitlines()

    columns = ["NAME", "MODEL", "REFERENCE", "VERSION", "CANDIDATE", "PHASE", "READY", "AGE"]
    assert header.split() == columns
    name, model, reference, version, phase, ready, _ = row.split()  # there is no candidate
    assert (name, model, reference) == (served.name, served.model, "Production")
    assert (version, phase, ready) == (str(wine.now), "Healthy", "2/2")


def test_every_reason_that_kubectl_shows_is_on_the_page(wine: Wine) -> None:
    page = (Path(__file__).parents[2] / "docs" / "conditions.md").read_text(encoding="utf-8")
    resource = wine.served.kubectl.read(
        "modeldeployment", wine.served.name, "-n", wine.served.namespace
    )

    conditions = {entry["type"]: entry for entry in resource["status"]["conditions"]}
    assert all(f"**{about}**" in page for about in conditions)
    assert all(f"`{entry['reason']}`" in page for entry in conditions.values())
    assert all(conditions[about]["status"] == "True" for about in ("Ready", "Rehearsed"))


def test_kubectl_explains_every_field_of_the_model(wine: Wine) -> None:
    text = wine.served.kubectl("explain", "modeldeployment.spec.model")

    for field in ("registry", "name", "stage", "alias", "version", "gates"):
        assert f"  {field}\t<" in text
    assert "FIELDS:" in text
    assert "registered model" in text


def test_the_service_and_the_disruption_budget_belong_to_the_resource(wine: Wine) -> None:
    served = wine.served
    owner = served.kubectl.read("modeldeployment", served.name, "-n", served.namespace)

    for kind in ("deployment", "service", "poddisruptionbudget"):
        child = served.kubectl.read(kind, served.name, "-n", served.namespace)
        assert child["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"]
