"""``buttress schedule``: the jobs of an application."""

from __future__ import annotations

import click
from sqlalchemy.exc import SQLAlchemyError

from buttress.cli.options import app_options, the_app
from buttress.cli.table import print_table
from buttress.schedule.extension import Schedule, ScheduleExtension, shown


@click.group(epilog="\b\nExample:\n  buttress schedule run shop.tasks.close_stale")
def schedule() -> None:
    """List the scheduled jobs, or run one."""


@schedule.command("ls")
@app_options
def list_jobs() -> None:
    """List the jobs with their times; nothing is started."""
    with the_app() as app:
        found = app.use(ScheduleExtension)
        last = _last_ticks(found)
        rows = [
            (
                job.name,
                str(job.trigger),
                f"misfire={job.misfire} overlap={job.overlap}",
                last[job.name] or "-",
                shown(found.next(job.name)) or "",
            )
            for job in found.jobs.values()
        ]
    print_table(("JOB", "TIMES", "POLICIES", "LAST TICK", "NEXT TICK"), rows)


@schedule.command("run")
@app_options
@click.argument("name")
def run_job(name: str) -> None:
    """Run the job NAME now, in this process, outside of its ticks.

    Exits with 1 where it fails, and where it runs already and may not overlap.
    """
    with the_app() as app:
        found = app.use(ScheduleExtension)
        app.lifecycle.start(command=True)
        if not found.run(name):
            raise click.ClickException(f"{name} runs already, and may not overlap.")
        click.echo(f"ran {name}")


def _last_ticks(found: Schedule) -> dict[str, str | None]:
    """Read the last ticks; where the database cannot tell, say so and give none."""
    try:
        return {job.name: shown(found.ledger.last(job.key)) for job in found.jobs.values()}
    except SQLAlchemyError:
        click.echo("warning: the database does not know the last ticks (yet)", err=True)
        return dict.fromkeys(found.jobs)
