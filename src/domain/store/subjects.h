#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "domain/store/record_store.h"
#include "domain/telemetry/identity.h"

/// What a record is about: a board, a host, a job, a rack. RecordStore::about() finds records by it, so that one board's months are
/// read without the fleet's. It is worked out from the body, by the store that keeps it and in the same transaction: whoever writes a
/// record (scrapes, agents, imports, incidents) need not think of it, and an older folder is indexed by the same words.
namespace ghm::store {

std::string board_subject(telemetry::BoardId board);     // "b17"
std::string host_subject(std::string_view host);         // "hgpu-host-1": the host and the boards on it
std::string host_itself_subject(std::string_view host);  // "ngpu-host-1": the host alone
std::string job_subject(std::string_view job);           // "jtrain-7", of a pod "jdefault/train-7/main"
std::string rack_subject(std::string_view rack);         // "rr1"

/// Ascending, each once. Only these kinds have any; a body that cannot be read has none:
/// event     its board and host; a host's own event the host itself
/// incident  boards, hosts, jobs and racks of its parts; hosts themselves where a part is a host
/// interval  the job or pod that ran ("ns/pod/container" as "ns/pod" too)
/// open      jobs and pods that run on its board
/// ~3 µs for an event, ~10 µs for each kilobyte of an incident.
std::vector<std::string> subjects_of(const Record& record);
/// Whether records of this kind have subjects at all; and which kinds have.
bool has_subjects(std::string_view kind);
std::span<const std::string_view> kinds_with_subjects();

}  // namespace ghm::store
