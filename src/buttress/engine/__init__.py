"""The request path of a service: today Flask's own, with the points where Buttress steps in."""
