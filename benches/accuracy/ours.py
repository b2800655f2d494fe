"""What the program says: `budget` over the files themselves, or over facts where there are none."""

import json
import subprocess

# Options that the program has for a whole request only; a case asks for one at most.
PER_REQUEST = (("fps", "--fps"), ("level", "--media-resolution"))


# What the message says of a meter that the model has no row for, which is no failure here.
NO_RULE = "no rule for model"


class Program:
    """The built binary."""

    def __init__(self, path):
        self.path = path
        version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
        self.version = version.stdout.strip()

    def count(self, case, meter=None):
        """Tokens of a case's media by the meter that it was recorded with, or by another.

        `None` where the rule book has no row. A row that a worked answer names is asked for by name.
        """
        facts = "".join(json.dumps(item.facts) + "\n" for item in case.items)
        command = self.command(case, meter)
        done = subprocess.run(command, input=facts, capture_output=True, text=True)
        if done.returncode not in (0, 1):
            if NO_RULE in done.stderr:
                return None
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        said = json.loads(done.stdout)
        counts = [item["tokens"]["total"] for item in said["items"] if item.get("tokens")]
        if len(counts) < len(case.items) or said["totals"]["failed"]:
            return None
        return said["totals"]["tokens"]["total"] if case.with_extra else sum(counts)

    def command(self, case, meter):
        command = [
            self.path, "budget", "--quiet", "--format", "json", "--keep-duplicates",
            "--model", case.model, "--service", case.service, "--on", case.date,
            "--meter", meter or case.meter,
            "--route", "inline" if case.items[0].route == "inline" else "file",
        ]
        if case.row and meter is None:
            command += ["--rule", case.row]
        for name, option in PER_REQUEST:
            values = {getattr(item, name) for item in case.items} - {None}
            if len(values) == 1:
                command += [option, values.pop()]
        if all(item.path for item in case.items):
            return command + [str(item.path) for item in case.items]
        return command + ["--facts", "-"]
