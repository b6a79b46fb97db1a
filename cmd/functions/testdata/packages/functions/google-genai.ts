import { GoogleGenAI } from '@google/genai';

export async function main(req, res) {
  const client = new GoogleGenAI({ apiKey: 'key', httpOptions: { baseUrl: req.body.url, fetch } });
  const answer = await client.models.generateContent({ model: 'm', contents: 'Hello' });
  res.send({ text: answer.text });
}
