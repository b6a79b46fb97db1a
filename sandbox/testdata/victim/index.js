'use strict';

// A fork server that somebody has taken over: when it settles, which it does after its first fork, it makes the calls of calls.json.

const zygote = require('../../build/zygote.node');
const inside = require('../inside');
const calls = require('./calls.json');

const { slim } = zygote;

zygote.slim = () => {
  slim();
  module.exports.outcomes = calls.map(call => inside.native.call(...call));
};

module.exports = { outcomes: null };
