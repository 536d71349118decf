"""A small weather simulator: a stand-in for the Jena station, seeded, with its schema, units and difficulty.

Each physical quantity is a sum of linear processes driven by seeded noise (recursive filters, so a year takes
milliseconds); what follows from others by physics is derived with the formulas of the station's own columns:

- pressure: travelling highs and lows (days), the tides of day and half day, and short ripples;
- temperature: the annual cycle, air masses (days), fronts (hours), eddies, and a day heated by the sun through clouds:
  sunshine fills a reservoir that leaks within hours, so summer days and clear days swing more than others;
- humidity: the dew point of the air mass, a process of its own, held below the temperature;
- wind: stronger in storms and at noon, with gusts, and a direction that wanders around the south.

Forecasts are possible for the reasons they are in nature: tendencies persist, and the sun comes back.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autograder.data import psychrometrics
from autograder.data.files import replacing
from autograder.data.jena_schema import FEATURES, HEADER, STEPS_PER_DAY, STEPS_PER_HOUR, TIME_COLUMN, TIME_FORMAT
from autograder.errors import DataError

GENERATOR_VERSION = 2  # raise it whenever the same seed would give other weather
MISSING_CODE = -9999.0
YEAR_ROWS = 366 * STEPS_PER_DAY
MOST_ROWS = 20 * YEAR_ROWS
FEWEST_ROWS_WITH_DEFECTS = 1000
DEFAULT_START = "01.01.2009 00:10:00"

Series = NDArray[np.float64]

_LATITUDE = np.deg2rad(50.9)  # Jena
_TILT = np.deg2rad(23.44)  # of the earth's axis
_SPIN_UP = 40 * STEPS_PER_DAY  # dropped from the front, so that the filters start in their stationary state


def write_generated_station(destination: Path, *, rows: int, seed: int, start: str = DEFAULT_START) -> Path:
    """Write `rows` rows of generated weather as a Jena Climate CSV, atomically, and return `destination`.

    Units are those of the column names; steps are 10 minutes from `start` (`dd.mm.yyyy HH:MM:SS`). The same rows, seed
    and start give the same file. Like the published file it has defects, see `with_defects`. Raises `DataError` for
    fewer rows than one or more than 20 years, a negative seed, a start that does not parse, or a folder that cannot be
    written.
    """
    table = with_defects(simulate_station(rows, seed, start), seed)
    header = ",".join(f'"{name}"' for name in HEADER)  # quoted, as in the published file
    with replacing(destination) as temporary, temporary.open("w", encoding="ascii", newline="") as file:
        file.write(header + "\n")
        table.to_csv(file, header=False, float_format="%.2f", date_format=TIME_FORMAT, lineterminator="\n")
    return destination


def simulate_station(rows: int, seed: int, start: str = DEFAULT_START) -> pd.DataFrame:
    """Generated weather without defects: `(rows, 14)`, float64 of 2 decimals, index of 10-minute steps from `start`."""
    if not 1 <= rows <= MOST_ROWS:
        raise DataError(f"Generated weather has 1 to {MOST_ROWS:,} rows ({YEAR_ROWS:,} are a year); received: {rows}")
    if seed < 0:
        raise DataError(f"The seed of generated weather is a whole number from 0 on; received: {seed}")
    try:
        first = pd.to_datetime(start, format=TIME_FORMAT)
        index = pd.date_range(first, periods=rows, freq="10min", name=TIME_COLUMN)
    except (ValueError, OverflowError) as error:
        raise DataError(
            f"Generated weather starts at a time dd.mm.yyyy HH:MM:SS, as {DEFAULT_START}; received: {start!r}"
        ) from error
    steps = _SPIN_UP + rows
    columns = _simulate(_Clock.ticking(first, steps), _Noise(np.random.default_rng(seed), steps))
    return pd.DataFrame({name: columns[name][_SPIN_UP:].round(2) for name in FEATURES}, index=index)


def with_defects(series: pd.DataFrame, seed: int) -> pd.DataFrame:
    """As many rows with the published file's defects: one block of rows twice, and -9999 where wind sensors failed.

    The block, a day at most, lies in the first half. Below 1,000 rows nothing is touched.
    """
    rows = len(series)
    if rows < FEWEST_ROWS_WITH_DEFECTS:
        return series
    rng = np.random.default_rng([seed, rows])
    length = min(STEPS_PER_DAY, rows // 100)
    start = int(rng.integers(rows // 10, rows // 3))
    order = np.concatenate([np.arange(start + length), np.arange(start, rows - length)])
    table = series.iloc[order].copy()
    for name, gaps in (("wv (m/s)", 2 + rows // 20_000), ("max. wv (m/s)", 3 + rows // 20_000)):
        for first in rng.integers(1, rows - 6, size=gaps):
            table.iloc[first : first + int(rng.integers(1, 6)), FEATURES.index(name)] = MISSING_CODE
    return table


@dataclass(frozen=True)
class _Clock:
    """Season and time of day of every step, as angles in radians, and where the sun stands."""

    year: Series  # 0 at New Year
    day: Series  # 0 at midnight

    @classmethod
    def ticking(cls, first: pd.Timestamp, steps: int) -> "_Clock":
        """Ticks of ten minutes; the one after the spin-up is `first`."""
        midnight = first.normalize()
        days = (first - midnight) / pd.Timedelta(days=1) + (np.arange(steps) - _SPIN_UP) / STEPS_PER_DAY
        return cls(year=2 * np.pi * (first.day_of_year - 1 + days) / 365.25, day=2 * np.pi * days)

    @property
    def summer(self) -> Series:
        """From -1 to 1 between mid January and mid July: the air lags the sun by four weeks."""
        season: Series = -np.cos(self.year - 2 * np.pi * 18 / 365.25)
        return season

    @property
    def sunshine(self) -> Series:
        """Share of full sunshine on level ground under a clear sky: the sine of the sun's elevation, 0 at night."""
        height = self._overhead - self._slanted * np.cos(self.day)
        return np.maximum(height, 0.0)

    @property
    def daily_sunshine(self) -> Series:
        """Mean of `sunshine` over the day, in closed form."""
        sunset = np.arccos(-self._overhead / self._slanted)
        mean: Series = (sunset * self._overhead + self._slanted * np.sin(sunset)) / np.pi
        return mean

    @property
    def _declination(self) -> Series:
        latitude_under_sun: Series = -_TILT * np.cos(self.year + 2 * np.pi * 10 / 365.25)
        return latitude_under_sun

    @property
    def _overhead(self) -> Series:
        product: Series = np.sin(_LATITUDE) * np.sin(self._declination)
        return product

    @property
    def _slanted(self) -> Series:
        product: Series = np.cos(_LATITUDE) * np.cos(self._declination)
        return product


@dataclass(frozen=True)
class _Noise:
    """Stationary Gaussian processes of mean 0 and variance 1, each call with a random stream of its own."""

    rng: np.random.Generator
    steps: int

    def white(self) -> Series:
        return self.rng.spawn(1)[0].standard_normal(self.steps)

    def drift(self, hours: float) -> Series:
        """First order: forgets its past with the time constant `hours`."""
        return _leak(self.white(), hours, gain=np.sqrt(1 - _kept(hours) ** 2))

    def swing(self, hours: float, turn_hours: float, strength: Series | float = 1.0) -> Series:
        """Second order: also its tendency persists, for `turn_hours`, so the next steps go on as the last ones went.

        `strength` scales what drives it, step by step.
        """
        a, b = _kept(hours), _kept(turn_hours)
        unit_variance = np.sqrt((1 - a * b) * (1 - a**2) * (1 - b**2) / (1 + a * b))
        return _leak(_leak(strength * self.white(), hours, gain=unit_variance), turn_hours)

    def bouts(self, hours: float, spread: float) -> Series:
        """A strength that comes in bouts: log-normal of mean square 1, so that what it drives keeps its variance."""
        strength: Series = np.exp(spread * self.drift(hours) - spread**2)
        return strength


def _simulate(clock: _Clock, noise: _Noise) -> dict[str, Series]:
    storm = noise.bouts(18.0, 0.45)
    high = noise.swing(60.0, 8.0, storm)  # highs and lows, in standard deviations
    clear = 1 / (1 + np.exp(-(0.1 + 0.5 * high + 1.2 * noise.drift(20.0))))  # share of the sky without clouds
    air_mass = noise.swing(70.0, 8.0)
    pressure = _pressure(clock, noise, storm, high)
    temperature = _temperature(clock, noise, storm, clear, air_mass)
    dew_point = _dew_point(clock, noise, temperature, air_mass)
    speed, gust, direction = _wind(clock, noise, storm, clear, high)
    saturation, vapour = psychrometrics.vapour_pressure(temperature), psychrometrics.vapour_pressure(dew_point)
    return {
        "p (mbar)": pressure,
        "T (degC)": temperature,
        "Tpot (K)": psychrometrics.potential_temperature(pressure, temperature),
        "Tdew (degC)": dew_point,
        "rh (%)": 100 * vapour / saturation,
        "VPmax (mbar)": saturation,
        "VPact (mbar)": vapour,
        "VPdef (mbar)": saturation - vapour,
        "sh (g/kg)": psychrometrics.specific_humidity(pressure, vapour),
        "H2OC (mmol/mol)": psychrometrics.vapour_concentration(pressure, vapour),
        "rho (g/m**3)": psychrometrics.air_density(pressure, temperature, vapour),
        "wv (m/s)": speed,
        "max. wv (m/s)": gust,
        "wd (deg)": direction,
    }


def _pressure(clock: _Clock, noise: _Noise, storm: Series, high: Series) -> Series:
    travelling = (8.0 - 2.6 * clock.summer) * high
    tides = 0.40 * np.cos(2 * (clock.day - _at(9.8))) + 0.30 * np.cos(clock.day - _at(7.0))
    ripples = 0.25 * noise.swing(2.0, 0.14, storm * noise.bouts(3.0, 0.4))
    return 989.3 + travelling + tides + ripples


def _temperature(clock: _Clock, noise: _Noise, storm: Series, clear: Series, air_mass: Series) -> Series:
    annual = 10.4 + 8.2 * clock.summer
    masses = 2.4 * air_mass + 1.6 * noise.drift(400.0)
    fronts = 2.0 * noise.swing(10.0, 2.0, storm)
    heating = (1 - 0.08 * clock.summer) * (clear * clock.sunshine - 0.5 * clock.daily_sunshine)
    radiating = 0.16 * (clear - 0.5)  # a clear sky also lets the heat out, day and night
    day = 40.0 * _leak(heating - radiating, 6.0, gain=1 - _kept(6.0))
    unrest = noise.bouts(4.0, 0.6) * (0.44 + np.sqrt(clear * clock.sunshine))  # showers; thermals over warm ground
    eddies = 1.2 * noise.swing(4.0, 0.18, unrest)
    return annual + masses + fronts + day + eddies


def _dew_point(clock: _Clock, noise: _Noise, temperature: Series, air_mass: Series) -> Series:
    annual = 5.2 + 6.0 * clock.summer
    masses = 2.7 * air_mass + 2.7 * noise.swing(45.0, 2.0)
    eddies = 0.8 * noise.swing(3.0, 0.12, noise.bouts(4.0, 0.6))
    spread = temperature - (annual + masses + eddies)
    return temperature - 0.7 * np.logaddexp(0.0, spread / 0.7)  # dew and fog take what the air cannot hold


def _wind(clock: _Clock, noise: _Noise, storm: Series, clear: Series, high: Series) -> tuple[Series, Series, Series]:
    """Mean speed and strongest gust of the ten minutes (m/s), and direction (degrees from north, clockwise)."""
    noon = np.sqrt(clear * clock.sunshine)
    weather = 0.35 - 0.14 * high + 0.3 * np.log(storm) + 0.45 * noise.drift(40.0) - 0.15 * clock.summer
    breeze = 1.3 * noon + 0.3 * noise.drift(1.5)
    speed = np.exp(weather + breeze) * np.maximum(1 + 0.11 * noise.white(), 0.0)
    gust = speed * (1.4 + 0.28 * np.abs(noise.white())) + 0.15
    calm_turns = 100 * noise.drift(1.5) / (0.6 + speed)  # without wind the vane points anywhere
    direction = 195 + 60 * noise.drift(30.0) + calm_turns + 20 * noise.white()
    return speed, gust, np.mod(direction, 360.0)


def _leak(drive: Series, hours: float, gain: float = 1.0) -> Series:
    """A reservoir that `drive` fills and that leaks with the time constant `hours`."""
    from scipy.signal import lfilter  # takes most of a second to import, and few processes generate weather

    level: Series = lfilter([gain], [1.0, -_kept(hours)], drive)
    return level


def _kept(hours: float) -> float:
    """What a reservoir of this time constant keeps over one step."""
    return float(np.exp(-1 / (hours * STEPS_PER_HOUR)))


def _at(hour: float) -> float:
    """An hour of the day as an angle."""
    return 2 * np.pi * hour / 24
