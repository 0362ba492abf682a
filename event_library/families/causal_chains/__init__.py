"""Causal chains: several events, one setting off the next."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.causal_chains.doors import KeycardDoor, PressurePlateDoorRobot
from event_library.families.causal_chains.fountain import SunriseSolarFountain
from event_library.families.causal_chains.heat import BallSwitchHeaterSnow, IceGateMarbles
from event_library.families.causal_chains.machines import GuardInterlockFlywheel, PullCordLamp
from event_library.families.causal_chains.rocket import FuseRocketLaunch
from event_library.families.causal_chains.rolling import DominoesReleaseCart, HourglassTipsSeesaw
from event_library.families.causal_chains.ropes import BalloonPinPop, CandleStringFlag
from event_library.families.causal_chains.sluice import RainBucketGate
from event_library.families.causal_chains.thermostat import ThermostatHeater
from event_library.families.causal_chains.water import FloatSwitchPump, RotaryValveSupply, TimerValveTankLeds

TYPES: tuple[type[Event], ...] = (
    BallSwitchHeaterSnow, DominoesReleaseCart, FloatSwitchPump, CandleStringFlag, ThermostatHeater, IceGateMarbles,
    TimerValveTankLeds, PressurePlateDoorRobot, HourglassTipsSeesaw, FuseRocketLaunch, RainBucketGate, KeycardDoor,
    GuardInterlockFlywheel, RotaryValveSupply, PullCordLamp, BalloonPinPop, SunriseSolarFountain,
)  # fmt: skip
