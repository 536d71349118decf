"""The one door to all sources: what a configuration asks for. Takes a second."""

import pytest
from pydantic import ValidationError

from autograder.config import Assignment, JenaData, Profile, Question, ReviewsData, ScenesData
from autograder.data import GENERATORS, provide_data, read_reviews, read_scenes, read_station
from autograder.errors import DataError

READERS = {"jena": read_station, "reviews": read_reviews, "scenes": read_scenes}
SETTINGS = {
    "jena": (JenaData(seed=1), 4000),
    "reviews": (ReviewsData(seed=1), 400),
    "scenes": (ScenesData(seed=1), 80),
}


def test_every_source_of_the_configuration_can_be_generated():
    assert set(GENERATORS) == set(SETTINGS) == set(READERS)


@pytest.mark.parametrize("source", SETTINGS)
def test_settings_choose_the_source_and_travel_to_it(tmp_path, source):
    settings, rows = SETTINGS[source]
    data = provide_data(settings, rows=rows, course_folder=tmp_path, cache=tmp_path / "cache")
    assert (data.source, data.origin) == (source, "generated")
    assert data.public.is_relative_to(tmp_path / "cache" / source)
    assert data.public.name == GENERATORS[source].file_name
    other = provide_data(
        settings.model_copy(update={"seed": 2, "withheld_fraction": 0.2}),
        rows=rows,
        course_folder=tmp_path,
        cache=tmp_path / "cache",
    )
    assert other.public_sha256 != data.public_sha256


@pytest.mark.parametrize("source", SETTINGS)
def test_generated_files_are_what_a_grading_reads(tmp_path, source):
    """A file that `autograder data` wrote can be named in the configuration; its path is seen from the course folder."""
    settings, rows = SETTINGS[source]
    generator = GENERATORS[source]
    assert generator.write(tmp_path / generator.file_name, rows, 5) == tmp_path / generator.file_name
    READERS[source](tmp_path / generator.file_name)
    named = settings.model_copy(update={"path": generator.file_name})
    data = provide_data(named, rows=None, course_folder=tmp_path, cache=tmp_path / "cache")
    assert data.origin == "file"
    assert generator.file_name in data.description


@pytest.mark.parametrize("source", SETTINGS)
def test_a_path_that_leads_nowhere(tmp_path, source):
    settings, rows = SETTINGS[source]
    named = settings.model_copy(update={"path": "absent.file"})
    with pytest.raises(DataError, match="absent.file"):
        provide_data(named, rows=rows, course_folder=tmp_path, cache=tmp_path / "cache")


@pytest.mark.parametrize("source", ["jena", "reviews"])
def test_downloads_are_asked_for(tmp_path, source, monkeypatch):
    """The switch reaches the source; nothing is fetched here."""
    asked = []

    def refuse(archive, cache):
        asked.append(archive.url)
        raise DataError("no network in a test")

    monkeypatch.setattr("autograder.data.jena.fetch_table", refuse)
    monkeypatch.setattr("autograder.data.reviews.fetch_reviews", refuse)
    settings, rows = SETTINGS[source]
    with pytest.raises(DataError, match="no network"):
        wanted = settings.model_copy(update={"download": True})
        provide_data(wanted, rows=rows, course_folder=tmp_path, cache=tmp_path)
    assert len(asked) == 1


def test_a_configuration_names_its_source():
    """Settings may also be plain values; an unknown source and a foreign field are refused."""

    def assignment(data):
        questions, profiles = (Question(id="q", points=1),), {"smoke": Profile()}
        return Assignment(name="a", title="A", questions=questions, profiles=profiles, data=data)

    assert assignment(ScenesData(seed=4)).data == ScenesData(seed=4)
    assert assignment({"source": "reviews", "path": "r.jsonl"}).data == ReviewsData(path="r.jsonl")
    with pytest.raises(ValidationError, match="'jena', 'reviews', 'scenes'"):
        assignment({"source": "weather"})
    with pytest.raises(ValidationError, match="download"):
        assignment({"source": "scenes", "download": True})
