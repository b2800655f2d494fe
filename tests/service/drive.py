"""Drives the newest google-genai SDK against a base URL and prints what it saw as JSON.

usage: python drive.py BASE_URL WORK_FOLDER
"""

import json
import pathlib
import sys

from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

MODEL = "gemini-2.5-flash"
PNG = bytes.fromhex("89504e470d0a1a0a")


def main(base, folder):
    client = genai.Client(
        api_key="FAKE-API-KEY", http_options=types.HttpOptions(base_url=base)
    )
    contents = ["What is it?", types.Part.from_bytes(data=PNG, mime_type="image/png")]
    seen = {"version": genai.__version__}

    answer = client.models.generate_content(model=MODEL, contents=contents)
    seen["text"] = answer.text
    seen["prompt_tokens"] = answer.usage_metadata.prompt_token_count
    stream = client.models.generate_content_stream(model=MODEL, contents=contents)
    seen["streamed"] = [event.text for event in stream]
    counted = client.models.count_tokens(model=MODEL, contents=contents)
    seen["counted"] = counted.total_tokens
    seen["input_limit"] = client.models.get(model=MODEL).input_token_limit

    small = upload(client, folder / "small.png", PNG, "image/png", "Réd 红")
    large = bytes(range(251)) * 83553
    large = upload(client, folder / "large.mp4", large[: 20 * 2**20 + 123], "video/mp4", "big")
    seen["files"] = [told(small), told(large)]
    seen["got"] = told(client.files.get(name=large.name))
    seen["listed"] = [file.name for file in client.files.list(config={"page_size": 1})]
    used = client.models.generate_content(model=MODEL, contents=[large, "Describe."])
    seen["used_tokens"] = used.usage_metadata.prompt_token_count
    client.files.delete(name=small.name)
    seen["left"] = [file.name for file in client.files.list()]

    try:
        part = types.Part.from_bytes(data=PNG, mime_type="image/jpg")
        client.models.generate_content(model=MODEL, contents=part)
    except errors.ClientError as error:
        seen["refused"] = [error.code, error.status, error.message]

    vertex = genai.Client(
        vertexai=True,
        project="fake-project",
        location="us-central1",
        credentials=Credentials(token="fake-bearer-token"),
        http_options=types.HttpOptions(base_url=base),
    )
    seen["vertex"] = vertex.models.generate_content(model=MODEL, contents=contents).text
    print(json.dumps(seen))


def upload(client, path, data, mime_type, display_name):
    path.write_bytes(data)
    config = {"mime_type": mime_type, "display_name": display_name}
    file = client.files.upload(file=str(path), config=config)
    assert file.size_bytes == len(data), file
    return file


def told(file):
    return [file.name, file.display_name, file.state.name]


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
