"""Humidity, density and potential temperature of moist air, as the Jena station derives them.

Units throughout: temperature in degC, pressure and vapour pressure in mbar (= hPa), the rest as named.

The constants are those that reproduce the station's own derived columns to within the rounding of their inputs: the
Magnus constants 6.1078, 17.08085 and 234.175 of the German weather service, 622 g/kg for the ratio of the molar masses
of water and dry air, and the gas constants of dry air and of water vapour.
"""

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

_MAGNUS_MBAR, _MAGNUS_SLOPE, _MAGNUS_DEGC = 6.1078, 17.08085, 234.175
_DRY_AIR, _VAPOUR = 287.058, 461.495  # specific gas constants, J/(kg K)
_ZERO_CELSIUS = 273.15  # K
_POISSON = 0.286  # R/cp of dry air


def vapour_pressure(dew_point: Series) -> Series:
    """Vapour pressure (mbar) of air with this dew point (degC); of the air's temperature, what it can hold at most."""
    pressure: Series = _MAGNUS_MBAR * np.exp(_MAGNUS_SLOPE * dew_point / (_MAGNUS_DEGC + dew_point))
    return pressure


def specific_humidity(pressure: Series, vapour: Series) -> Series:
    """Water vapour per moist air, g/kg, from pressure and vapour pressure (mbar)."""
    return 622.0 * vapour / (pressure - 0.378 * vapour)


def vapour_concentration(pressure: Series, vapour: Series) -> Series:
    """Water vapour per air, mmol/mol, from pressure and vapour pressure (mbar)."""
    return 1000.0 * vapour / pressure


def air_density(pressure: Series, temperature: Series, vapour: Series) -> Series:
    """Density of moist air, g/m**3: dry air and vapour as two ideal gases; mbar, degC, mbar."""
    kelvin = temperature + _ZERO_CELSIUS
    pascal_grams = 100.0 * 1000.0  # Pa per mbar times g per kg
    return pascal_grams * ((pressure - vapour) / (_DRY_AIR * kelvin) + vapour / (_VAPOUR * kelvin))


def potential_temperature(pressure: Series, temperature: Series) -> Series:
    """Temperature (K) that the air would have at 1000 mbar, by Poisson's equation; mbar, degC."""
    kelvin: Series = (temperature + _ZERO_CELSIUS) * (1000.0 / pressure) ** _POISSON
    return kelvin
