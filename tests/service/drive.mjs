// Drives the newest @google/genai SDK against a base URL and prints what it saw as JSON.
//
// usage: node drive.mjs BASE_URL WORK_FOLDER PEERS_FOLDER
// PEERS_FOLDER is where the SDK is installed.

import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';

const [base, folder, peers] = process.argv.slice(2);
const require = createRequire(path.join(peers, 'package.json'));
const {GoogleGenAI} = require('@google/genai');
const {OAuth2Client} = require('google-auth-library');

const model = 'gemini-2.5-flash';
const png = Buffer.from('89504e470d0a1a0a', 'hex');
const ai = new GoogleGenAI({apiKey: 'FAKE-API-KEY', httpOptions: {baseUrl: base}});
const image = (mimeType) => ({inlineData: {data: png.toString('base64'), mimeType}});
const contents = ['What is it?', image('image/png')];

async function upload(name, data, mimeType, displayName) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, data);
  const uploaded = await ai.files.upload({file, config: {mimeType, displayName}});
  if (uploaded.sizeBytes !== String(data.length)) throw new Error(JSON.stringify(uploaded));
  return uploaded;
}

async function names(config) {
  const names = [];
  for await (const file of await ai.files.list({config})) names.push(file.name);
  return names;
}

const told = (file) => [file.name, file.displayName, file.state];

async function main() {
  const manifest = path.join(peers, 'node_modules/@google/genai/package.json');
  const seen = {version: JSON.parse(fs.readFileSync(manifest)).version};

  const answer = await ai.models.generateContent({model, contents});
  seen.text = answer.text;
  seen.prompt_tokens = answer.usageMetadata.promptTokenCount;
  seen.streamed = [];
  for await (const event of await ai.models.generateContentStream({model, contents})) {
    seen.streamed.push(event.text);
  }
  seen.counted = (await ai.models.countTokens({model, contents})).totalTokens;
  seen.input_limit = (await ai.models.get({model})).inputTokenLimit;

  const small = await upload('small.png', png, 'image/png', 'Réd 红');
  const data = Buffer.alloc(20 * 2 ** 20 + 123, Buffer.from(Array.from({length: 251}, (_, at) => at)));
  const large = await upload('large.mp4', data, 'video/mp4', 'big');
  seen.files = [told(small), told(large)];
  seen.got = told(await ai.files.get({name: large.name}));
  seen.listed = await names({pageSize: 1});
  const video = {fileData: {fileUri: large.uri, mimeType: large.mimeType}};
  const used = await ai.models.generateContent({model, contents: [video, 'Describe.']});
  seen.used_tokens = used.usageMetadata.promptTokenCount;
  await ai.files.delete({name: small.name});
  seen.left = await names({});

  try {
    await ai.models.generateContent({model, contents: [image('image/jpg')]});
  } catch (error) {
    const inner = JSON.parse(error.message).error;
    seen.refused = [error.status, inner.status, inner.message];
  }

  const authClient = new OAuth2Client();
  authClient.setCredentials({access_token: 'fake-bearer-token', expiry_date: Date.now() + 3600e3});
  const vertex = new GoogleGenAI({
    vertexai: true,
    project: 'fake-project',
    location: 'us-central1',
    googleAuthOptions: {authClient},
    httpOptions: {baseUrl: base},
  });
  seen.vertex = (await vertex.models.generateContent({model, contents})).text;
  console.log(JSON.stringify(seen));
}

await main();
