"""Reads every calendar of a folder with two libraries and compares what they find with what was meant."""

import json
import pathlib
import sys

import icalendar
import vobject


def plain(value):
    return value.isoformat()


def told_by_icalendar(text):
    calendar = icalendar.Calendar.from_ical(text)
    assert calendar["VERSION"] == "2.0" and calendar["PRODID"] and not calendar.errors
    for event in calendar.walk("VEVENT"):
        assert not event.errors, event.errors
        assert event["DTSTAMP"].dt.tzinfo is not None, "DTSTAMP is in UTC"
        for alarm in event.walk("VALARM"):
            assert alarm["ACTION"] == "DISPLAY" and alarm["DESCRIPTION"] and alarm["TRIGGER"].dt
        assert "ATTENDEE" not in event
        yield {
            "uid": str(event["UID"]),
            "start": plain(event["DTSTART"].dt),
            "end": plain(event["DTEND"].dt) if "DTEND" in event else "",
            "summary": str(event.get("SUMMARY", "")),
            "description": str(event.get("DESCRIPTION", "")),
        }


def told_by_vobject(text):
    calendar = vobject.readOne(text)
    for event in getattr(calendar, "vevent_list", []):
        yield {
            "uid": event.uid.value,
            "start": plain(event.dtstart.value),
            "end": plain(event.dtend.value) if hasattr(event, "dtend") else "",
            "summary": event.summary.value if hasattr(event, "summary") else "",
            "description": event.description.value if hasattr(event, "description") else "",
        }


def compare(library, found, meant):
    assert len(found) == len(meant), f"{library}: {len(found)} events instead of {len(meant)}"
    for one, other in zip(found, meant):
        for key, value in other.items():
            # A UID that two sources share is told apart; texts of others are compared by their titles.
            same = one[key] == value or (key == "uid" and one[key].startswith(value + "/"))
            assert value is None or same, f"{library}: {key} is {one[key]!r} instead of {value!r}"


def main():
    files = sorted(pathlib.Path(sys.argv[1]).glob("*.ics"))
    for file in files:
        meant = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        text = file.read_bytes().decode("utf-8")
        try:
            compare("icalendar", list(told_by_icalendar(text)), meant)
            compare("vobject", list(told_by_vobject(text)), meant)
        except Exception as error:
            sys.exit(f"{file.name}: {error!r}")
    print(f"{len(files)} calendars accepted by icalendar and vobject")


main()
