#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/store/record_store.h"
#include "domain/transport/host_round.h"
#include "pipeline/source_state.h"

/// What an agent's round says beside readings, in the ledger's words.
namespace ghm::pipeline {

/// The board that a witness means: of the host's own page first, else by serial or UUID, else what the ledger knows at that
/// address of the host. none: nobody, or the host itself.
fleet::BoardId find_board(const transport::GpuName& gpu, const std::string& host, const SourceState& page, const fleet::Ledger& ledger);

/// Board and host are still to be told. A kind that is no word becomes "agent_event"; a time to come becomes `now`.
fleet::FleetEvent ledger_event(const transport::AgentEvent& said, std::chrono::milliseconds shift, Timestamp now);

/// Kind "event". `key` tells it from others of its millisecond and is the same when it comes again.
store::Record agent_record(const fleet::FleetEvent& event, const fleet::Board* board, const std::string& key);

/// The kernel itself wrote this Xid into its log, and where it stands there; a line that a process wrote is no witness. `fields`: of
/// an event from the kernel log.
bool is_by_kernel(const std::map<std::string, std::string>& fields);

/// Who told a kept event of a board's Xid; nullopt: it is another event.
struct XidTold {
  fleet::BoardId board{};
  int code = 0;
  bool by_line = false;  // the kernel's; else the exporter's gauge
};
std::optional<XidTold> parse_xid(const store::Record& event);

/// Kind "host_facts", key: the host.
store::Record host_facts_record(const std::string& host, const telemetry::LabelMap& facts, Timestamp at);

/// Per board of the page what holds it now, of both kinds ("pod", "job"): by the labels of its page and by who knows better.
using HeldByBoard = std::map<fleet::BoardId, std::map<std::string, std::vector<fleet::Held>>>;
/// Of one board, as the live view shows it.
telemetry::Workload workload_of(const HeldByBoard::mapped_type& held);
HeldByBoard held_by_board(const transport::HostRound& round, const telemetry::PageLayout& said, const std::vector<fleet::BoardId>& boards,
                          const std::function<fleet::BoardId(const transport::GpuName&)>& board_of);

}  // namespace ghm::pipeline
