import axios from 'axios';

export async function main(req, res) {
  const { data, status } = await axios.get(`${req.body.url}/json`, { params: { q: 'a b' } });
  res.send({ status, data });
}
