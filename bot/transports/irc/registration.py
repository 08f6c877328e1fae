"""Coming in: capabilities, logging in, a nick; and logging in later, when the services come back."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.transports.irc.line import Line
from bot.transports.irc.sasl import Login, Mechanism, State
from bot.transports.irc.world import Handlers, World

LIMIT, LOGIN_LIMIT = 60.0, 15.0
"""Seconds that registering and, as a part of it, logging in may take."""

RETRY, LONGEST = 60.0, 3600.0
"""Seconds until a login is tried again, doubling up to the longest."""


@dataclass(slots=True)
class Registration:
    """Everything up to 001, and the login whenever it becomes possible.

    `mechanisms` makes what we can log in with, anew for each try; None where the config has no account.
    `leave_for_tls` hears the value of the capability `sts`, and tells whether not to go on here.
    """

    world: World
    send: Callable[[str], None]
    mechanisms: Callable[[], list[Mechanism]] | None
    welcome: Callable[[], None]
    leave_for_tls: Callable[[str | None], bool]
    account: str | None = None
    problem: str = ""
    failed: str = ""
    _login: Login | None = None
    _began: float = 0.0
    _retry: float = RETRY
    _ended: bool = False

    @property
    def handlers(self) -> Handlers:
        """The lines of registration."""
        results = dict.fromkeys(("902", "903", "904", "905", "906", "907", "908"), self._on_result)
        taken = dict.fromkeys(("432", "433", "436", "437"), self._on_nick_refused)
        return {
            "CAP": self._on_cap,
            "AUTHENTICATE": self._on_authenticate,
            "001": self._on_welcome,
            "900": self._on_logged_in,
            "901": self._on_logged_out,
            **results,
            **taken,
        }

    def tick(self, now: float) -> None:
        """Give up what takes too long, and try again what failed."""
        login = self._login
        if login and login.state is State.TRYING and now - self._began > LOGIN_LIMIT:
            self._all(login.expire())
            self._after_login()
        elif (
            self.world.registered
            and self.mechanisms
            and not self.world.account
            and now - self._began > self._retry
        ):
            self._began = now
            if "sasl" in self.world.caps.acked:
                self._retry = min(2 * self._retry, LONGEST)
                self._begin_login()
            else:
                self.send("CAP LS 302")  # for a server that does not tell when its services come back

    def _on_cap(self, line: Line) -> None:
        step = self.world.caps.feed(line.params)
        if self.leave_for_tls(self.world.caps.offered.get("sts")):
            return
        self._all(step.send)
        if "account-notify" in step.lost or "extended-join" in step.lost:
            self.world.channels.forget_accounts()
        if "sasl" in step.gained and self.mechanisms and not self.world.account:
            self._retry = RETRY
            self._begin_login()
        self._settle()

    def _begin_login(self) -> None:
        assert self.mechanisms is not None  # noqa: S101 - both callers have looked
        self._began = self.world.clock.monotonic()
        self._login = Login(self.mechanisms())
        self._all(self._login.start(self.world.caps.offered.get("sasl", "")))
        self._after_login()

    def _after_login(self) -> None:
        login = self._login
        if login is None or login.state is State.TRYING:
            return
        if login.state is State.DONE:
            self.problem, self.world.account = "", self.world.account or self.account
        else:
            self.problem = f"not logged in: {login.problem}"
        self._settle()

    def _settle(self) -> None:
        busy = self._login is not None and self._login.state is State.TRYING
        if self._ended or self.world.registered or busy or not self.world.caps.settled:
            return
        if self.mechanisms and self._login is None:
            self.problem = "not logged in: the server offers no login now"
        self._ended = True
        self.send("CAP END")

    def _on_authenticate(self, line: Line) -> None:
        if self._login:
            self._all(self._login.challenge(line.param(0)))
            self._after_login()

    def _on_result(self, line: Line) -> None:
        if self._login:
            text = line.param(1) if line.command == "908" else line.param(-1)
            self._all(self._login.numeric(line.command, text))
            self._after_login()

    def _on_logged_in(self, line: Line) -> None:
        if line.param(2):
            self.world.logged_in(line.param(2))

    def _on_logged_out(self, _: Line) -> None:
        self.world.account = None

    def _on_nick_refused(self, line: Line) -> None:
        if self.world.registered or self.world.isupport.is_channel(line.param(1)):
            return
        nick = self.world.nicks.alternative()
        if nick is None:
            self.failed = f"no nick like {self.world.nicks.own} is accepted: {line.param(-1)}"
        else:
            self.send(f"NICK {nick}")

    def _on_welcome(self, line: Line) -> None:
        world = self.world
        world.registered, world.server = True, line.source
        world.nicks.current = line.param(0) or world.nicks.current
        _, _, tail = line.param(-1).rpartition(" ")
        nick, _, userhost = tail.partition("!")
        if world.is_me(nick) and "@" in userhost:
            world.userhost = userhost
        world.history.measure(line, world.clock.now())
        if self.mechanisms and self._login is None:
            self._began = world.clock.monotonic()
            self.problem = self.problem or "not logged in: the server knows no login"
        self.welcome()

    def _all(self, lines: tuple[str, ...]) -> None:
        for line in lines:
            self.send(line)
