"""Data sources: a local file, an official download, or a generated stand-in with the same schema, units and difficulty.

`sources` has the one door, `provide_data`, and `dataset` what comes out of it: a file for the notebook and one in the
same format for the judge alone. `download` and `files` are shared. Of each source:

- Jena, the weather: `jena` (the order of the origins and the cut), `jena_schema` (columns, units, reader),
  `jena_archive` (the official file), `weather` (the simulator), `psychrometrics` (its formulas) and
  `climate_statistics` (how near it comes to the real station). The station stands on the roof of the Max Planck
  Institute for Biogeochemistry in Jena, Germany, and writes a row every 10 minutes
  (https://www.bgc-jena.mpg.de/wetter/). Its years 2009 to 2016 are the "Jena Climate" data of F. Chollet's "Deep
  Learning with Python" and of the Keras example "Timeseries forecasting for weather prediction". The formulas:
  saturation vapour pressure after Magnus (sets of constants compared by O. A. Alduchov and R. E. Eskridge, "Improved
  Magnus form approximation of saturation vapor pressure", Journal of Applied Meteorology 35, 1996; the station uses
  those of the German weather service), moist air as two ideal gases, and Poisson's equation.
- Reviews of films: `reviews`, `review_schema`, `review_archive` (the official file) and `review_grammar`, which writes
  reviews in which word order matters.
- Scenes of handwritten digits: `scenes`, `scene_schema`, and `scene_drawing`.
"""

from autograder.data.dataset import DataSet
from autograder.data.jena import provide_jena
from autograder.data.jena_schema import FEATURES, TARGETS, read_station
from autograder.data.review_grammar import write_generated_reviews
from autograder.data.review_schema import Review, read_reviews
from autograder.data.reviews import provide_reviews
from autograder.data.scene_drawing import write_generated_scenes
from autograder.data.scene_schema import Scenes, read_scenes
from autograder.data.scenes import provide_scenes
from autograder.data.sources import GENERATORS, provide_data
from autograder.data.weather import write_generated_station

__all__ = [
    "FEATURES",
    "GENERATORS",
    "TARGETS",
    "DataSet",
    "Review",
    "Scenes",
    "provide_data",
    "provide_jena",
    "provide_reviews",
    "provide_scenes",
    "read_reviews",
    "read_scenes",
    "read_station",
    "write_generated_reviews",
    "write_generated_scenes",
    "write_generated_station",
]
