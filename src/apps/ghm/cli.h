#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "core/result.h"

namespace ghm::cli {

/// What the command that was chosen does; its value is the exit code: 0 done, 1 failed.
using Run = std::function<int()>;
using Json = nlohmann::ordered_json;

inline constexpr int kDone = 0, kFailed = 1, kWrongUsage = 2;

/// "ghm: <sentence>" on standard error; kFailed.
int fail(const Error& error);
/// One JSON document on standard output and nothing else.
void print_json(const Json& document);

// The commands, each in the file of its name; each declares its options and sets `run` when it is chosen.
void add_read(CLI::App& app, Run& run);
void add_version(CLI::App& app, Run& run);

}  // namespace ghm::cli
