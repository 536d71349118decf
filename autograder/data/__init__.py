"""Data sources: a local file, an official download, or a generated stand-in with the same schema, units and difficulty.

Jena: the weather station on the roof of the Max Planck Institute for Biogeochemistry in Jena, Germany, a row every 10
minutes (https://www.bgc-jena.mpg.de/wetter/). Its years 2009 to 2016 are the "Jena Climate" data of F. Chollet's "Deep
Learning with Python" and of the Keras example "Timeseries forecasting for weather prediction".

Columns, units and the reader are in `jena_schema`, the order of the three origins and the cut in `sources`, the
official file in `download`, the simulator in `weather`, its formulas in `psychrometrics`, and how near it comes to the
real station in `climate_statistics`.

The formulas: saturation vapour pressure after Magnus (sets of constants compared by O. A. Alduchov and R. E. Eskridge,
"Improved Magnus form approximation of saturation vapor pressure", Journal of Applied Meteorology 35, 1996; the station
uses those of the German weather service), moist air as two ideal gases, and Poisson's equation.
"""

from autograder.data.jena_schema import FEATURES, TARGETS, read_station
from autograder.data.sources import DataSet, provide_jena
from autograder.data.weather import write_generated_station

__all__ = ["FEATURES", "TARGETS", "DataSet", "provide_jena", "read_station", "write_generated_station"]
