"""Reads every summary of a folder with two FHIR libraries and follows every reference."""

import json
import pathlib
import sys
import xml.etree.ElementTree as ET

from fhir.resources.R4B.bundle import Bundle
from fhirclient.models.bundle import Bundle as ClientBundle

REQUIRED = {"48765-2", "10160-0", "11450-4"}
XHTML = "{http://www.w3.org/1999/xhtml}"


def walk(value):
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


def check(text):
    parsed = Bundle.model_validate_json(text)
    assert parsed.get_resource_type() == "Bundle" and parsed.type == "document"
    first, second = (entry.resource for entry in parsed.entry[:2])
    assert first.get_resource_type() == "Composition", "a document begins with its Composition"
    assert second.get_resource_type() == "Patient"
    assert first.type.coding[0].code == "60591-5"
    present = {section.code.coding[0].code for section in first.section}
    assert REQUIRED <= present, f"sections are missing: {REQUIRED - present}"

    raw = json.loads(text)
    ClientBundle(raw, strict=True)

    urls = [entry["fullUrl"] for entry in raw["entry"]]
    assert len(set(urls)) == len(urls)
    reachable = set()
    for node in walk(raw):
        reference = node.get("reference")
        if isinstance(reference, str) and not reference.startswith(("#", "http")):
            assert reference in urls, f"{reference} leads nowhere"
            reachable.add(reference)
    for entry in raw["entry"]:
        kind = entry["resource"]["resourceType"]
        if kind not in ("Composition", "Provenance"):
            assert entry["fullUrl"] in reachable, f"{kind} cannot be reached"

    for section in raw["entry"][0]["resource"]["section"]:
        div = ET.fromstring(section["text"]["div"])
        assert div.tag == XHTML + "div"
        rows = div.findall(f".//{XHTML}tbody/{XHTML}tr")
        if "emptyReason" in section:
            assert "entry" not in section and not rows
        else:
            assert len(rows) == len(section.get("entry", [])), "the narrative tells of every entry"
    return len(urls)


def main():
    files = sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
    resources = 0
    for file in files:
        try:
            resources += check(file.read_text(encoding="utf-8"))
        except Exception as error:
            sys.exit(f"{file.name}: {error!r}")
    print(f"{len(files)} documents accepted by fhir.resources and fhirclient, {resources} resources")


main()
