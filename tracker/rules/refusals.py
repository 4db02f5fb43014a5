"""Why the collector refuses a request: a closed list of answers, each documented."""

from tracker.rules.described import Described


class Refusal(Described):
    """A refusal: `.status` is the HTTP status, `.permanent` tells senders not to try again."""

    status: int
    meaning: str

    @property
    def permanent(self) -> bool:
        return self.status not in (429, 503)

    BAD_ENVELOPE = ("bad_envelope", 400, "The body is not an envelope of protocol v1.")
    ORIGIN = ("origin", 403, "The section does not take hits from this origin.")
    UNKNOWN_KEY = ("unknown_key", 404, "No snippet has this key.")
    OFF = ("off", 410, "Web tracking of this event is switched off.")
    HIDDEN = ("hidden", 410, "This event was hidden for good.")
    ROTATED = ("rotated", 410, "This key was replaced, and its time is over.")
    TOO_LARGE = ("too_large", 413, "The body is over 100,000 bytes.")
    TOO_MANY = ("too_many", 429, "This snippet sends more hits a second than it may.")
    VISITOR_RATE = ("visitor_rate", 429, "This visitor sends more hits a second than one may.")
    ADDRESS_RATE = ("address_rate", 429, "More hits a second come from this address than may.")
    UNSURE = ("unsure", 503, "The collector can't be sure of its snippet keys at the moment.")
    QUEUE_AWAY = ("queue_away", 503, "The hit queue did not confirm that it has every hit.")
    QUEUE_FULL = ("queue_full", 503, "The hit queue is too full to take more for now.")
    CONNECTIONS = ("connections", 503, "Too many connections are open, in all or from one address.")
