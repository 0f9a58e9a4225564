#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "domain/fleet/asset.h"
#include "domain/fleet/intervals.h"
#include "domain/fleet/maintenance.h"
#include "domain/telemetry/page.h"

/// The ledger: every board for life. Identity is the serial number; UUID and host + PCI address are aliases for boards
/// whose serial nobody prints. A slot is a place, not a GPU.
namespace ghm::fleet {

using telemetry::BoardId;

struct Board {
  BoardId id{};
  std::string serial, uuid, pci_bus_id, model, driver_version, vbios_version;
  std::string host;
  int slot = -1;  // DCGM's index when last seen: a place, not an identity
  Place place;
  bool simulated = false;  // once any source of it was simulated, for ever
  bool in_service = true;
  Timestamp first_seen{};
  Timestamp last_seen{};                  // last page that showed it; the epoch: only the inventory knows it
  std::optional<Timestamp> silent_since;  // it is missing, and that was told
  std::shared_ptr<const Asset> asset;     // what the inventory says of its newest stay; nullptr: nothing
};

/// A host has a number too: it owns switch, CPU and node series.
struct Host {
  BoardId id{};
  std::string name;
  Place place;
  bool simulated = false;
  Timestamp first_seen{};
  Timestamp last_answer{};  // the last page that arrived, with or without GPUs
  std::chrono::milliseconds interval{10'000};
  std::string last_error;                 // why it does not answer, empty while it does
  std::optional<Timestamp> silent_since;  // it does not answer, and that was told
};

/// "board 1650…", for sentences: by its serial, else its UUID, else where it stands.
std::string spoken_name(const Board& board);

/// Silence is an event within this many intervals.
inline constexpr int kIntervalsUntilSilent = 2;
/// The kind of a Conflict between inventory and page.
inline constexpr std::string_view kInventoryPlace = "inventory_place";

/// The numbers of an anomaly, beside its sentence: what its detector looks at, in `unit`.
struct AnomalyNumbers {
  std::string metric;              // canonical name
  std::string detector, severity;  // "peer_residual", "warning"
  double value = 0, expected = 0, sigma = 0, z = 0;
  std::string unit;
  std::string peers;  // whom it was compared with: none (its own past) host rack job
  Timestamp since{};
};

/// What the ledger noticed while looking at a page; persisted as events by the pipeline.
struct FleetEvent {
  Timestamp at{};
  std::string kind;  // gpu_appeared gpu_moved gpu_missing gpu_returned gpu_replaced gpu_retired source_silent source_returned
                     // identity_conflict driver_change vbios_change maintenance, and the signs of a PageWatch
  BoardId board{};   // none: about the host
  std::string host;
  std::string detail;                          // one sentence
  int code = 0;                                // of an Xid; 0: none
  std::optional<AnomalyNumbers> anomaly = {};  // of the kinds anomaly and anomaly_cleared
  Facts fields = {};                           // what else a witness said, by name: pid, process, link
};

/// One source's page, as far as identity goes.
struct Sighting {
  std::string source;  // target "gpu-host-1:9400"
  std::string host;    // ledger name of the host: target label, else the page's Hostname unless "localhost", else the target's host
  Place place;
  bool simulated = false;
  std::chrono::milliseconds interval{10'000};
  Timestamp at{};
};

/// Two claims that cannot both be true. Shown, not guessed: what was known stays until one claim ends.
struct Conflict {
  std::string kind;  // claimed_twice serial_twice inventory_place
  BoardId board{};
  std::string claims;  // "h1 and h2"
  std::string detail;  // one sentence
  Timestamp since{}, last{};
};

/// A pure state machine: no clock, no store. One owner.
class Ledger {
 public:
  /// Resolves the GPUs of a page to boards, creating and moving as needed. Result: one BoardId per `gpus` entry; none
  /// for a GPU without any identity. O(GPUs) expected. Call for every page: it also notes who was seen.
  std::vector<BoardId> sight(const Sighting& s, const std::vector<telemetry::GpuIdentity>& gpus);
  /// The host's own id for node, switch and CPU series; created by sight().
  BoardId host_id(std::string_view host) const;
  /// What runs on the boards of a page: `work` has an entry per entry of `boards`. Kept as intervals.
  void note_work(const std::vector<BoardId>& boards, const std::vector<telemetry::Workload>& work, Timestamp at);
  /// What a source that knows says about a board or host: from `at` on exactly `values` hold of this kind ("pod", "job",
  /// "clock_skew").
  void note_held(BoardId id, std::string_view kind, const std::vector<Held>& values, Timestamp at) {
    intervals_.hold(id, kind, values, at);
  }
  /// What the inventory says about one stay of a board, creating the board when it is new. The same again changes nothing.
  /// Where a page says otherwise the page is believed, and the disagreement is a conflict. invalid_input: no name, or a stay
  /// that ends before it begins.
  Result<BoardId> take_asset(const Asset& asset, bool simulated, Timestamp now);
  /// A target did not answer.
  void no_answer(const Sighting& s, std::string_view error);
  /// Finds what has stopped: a source without an answer, a board gone from its page, for two intervals. Under maintenance
  /// nothing is told; what is still silent afterwards is told then. Call it every few seconds: after a longer break, or a jump
  /// of the clock, everyone has two intervals again before it counts.
  void notice_silence(Timestamp now);

  /// Starts or ends maintenance of a board, host or rack by its name: a serial or UUID, else a host, else a rack. not_found:
  /// nothing is called so.
  Result<Maintenance> start_maintenance(std::string_view name, std::optional<Timestamp> until, std::string reason, std::string by,
                                        Timestamp now);
  Result<Maintenance> end_maintenance(std::string_view name, Timestamp now);
  const MaintenanceBook& maintenance() const { return maintenance_; }
  std::vector<Conflict> conflicts() const;

  const Board* find(BoardId id) const;
  /// By serial, UUID, or unambiguous last 4+ digits of a serial.
  const Board* find(std::string_view name) const;
  const std::map<BoardId, Board>& boards() const { return boards_; }
  const std::map<std::string, Host, std::less<>>& hosts() const { return hosts_; }
  bool is_silent(const Board& b, Timestamp now) const;  // nothing for two intervals
  bool is_silent(const Host& h, Timestamp now) const;

  struct Presence {
    BoardId id{};
    Timestamp last_seen{};
    bool silent = false;
  };
  /// Every board, ascending. ~3 ns each: the records themselves are not touched.
  std::vector<Presence> presence(Timestamp now) const;

  /// What changed since the last call, to be persisted: whole records, and events in order.
  struct Changes {
    std::vector<Board> boards;
    std::vector<Host> hosts;
    std::vector<FleetEvent> events;
    OpenIntervals::Changes intervals;
    std::vector<Maintenance> maintenance;
  };
  Changes take_changes();

  /// All of a ledger, as it was persisted.
  struct Kept {
    std::vector<Board> boards;
    std::vector<Host> hosts;
    std::vector<Interval> open;
    std::vector<Maintenance> maintenance;
  };
  /// Rebuilds the state, before the first sight().
  void restore(Kept kept);

 private:
  /// What a board or host needs beside its record; by id.
  struct State {
    Board* board = nullptr;     // nullptr: the number is a host's
    Host* host = nullptr;       // where the board was last seen; a host: itself
    Timestamp seen{};           // a board's last_seen, here beside what silence needs: looked at every second for every board
    Timestamp persisted{};      // last_seen or last_answer of the record that was last handed out
    bool told_missing = false;  // its silence is an event already
    bool dirty = false;
  };
  struct Source {
    Host* answers = nullptr;  // whom it answered for last
    std::string host;         // of `ids`; empty while they are in dispute
    std::vector<telemetry::GpuIdentity> gpus;
    std::vector<BoardId> ids;
  };

  void watch(Timestamp now);
  static bool is_silent(const State& board, Timestamp now);
  State& state(BoardId id);
  const State& state(BoardId id) const { return states_[static_cast<std::size_t>(id)]; }
  BoardId new_id();
  Host& host_of(const Sighting& s);
  void note_answer(Host& host, const Sighting& s);
  void note_seen(Board& b, Timestamp at);
  BoardId resolve(const Sighting& s, Host& host, const telemetry::GpuIdentity& gpu);
  Board* known(const std::string& host, const telemetry::GpuIdentity& gpu);
  Board& create(const Sighting& s, Host& host);
  bool is_elsewhere(const Board& b, const Sighting& s) const;
  void update(Board& b, const Sighting& s, Host& host, const telemetry::GpuIdentity& gpu);
  void note_move(const Board& b, const Sighting& s, const telemetry::GpuIdentity& gpu);
  void note_firmware(const Board& b, const Sighting& s, const telemetry::GpuIdentity& gpu);
  void note_names(const Board& b, Timestamp at);
  void note_return(Board& b, Timestamp at);
  bool is_back(const Board& b, Timestamp at) const;
  void retire_replaced(const Sighting& s);
  void conflict(std::string kind, const Board& b, std::string claims, std::string detail, Timestamp at);
  void notice_silent_host(Host& h, Timestamp now);
  void notice_missing_board(State& st, Timestamp now);
  void end_conflicts(Timestamp now);
  Board& create_from(const Asset& asset, Timestamp now);
  void take_stay(Board& b, const Asset& asset, Timestamp now);
  void take_newest_stay(Board& b, const Asset& asset, bool retired);
  void link_to_host(Board& b);
  struct Named {
    Maintenance::Scope scope{};
    std::string target;
  };
  Result<Named> named(std::string_view name) const;
  void index(const Board& b);
  void mark(BoardId id);
  void tell(Timestamp at, const char* kind, BoardId board, const std::string& host, std::string detail);

  std::map<BoardId, Board> boards_;
  std::map<std::string, Host, std::less<>> hosts_;
  std::vector<State> states_{1};                                               // by id; 0 is nobody
  std::unordered_map<std::string, BoardId> by_serial_, by_uuid_, by_address_;  // address: host and PCI bus id
  std::unordered_map<std::string, Source> sources_;
  std::vector<BoardId> dirty_;
  std::vector<FleetEvent> events_;
  OpenIntervals intervals_;
  MaintenanceBook maintenance_;
  std::vector<Maintenance> changed_maintenance_;
  std::map<std::pair<std::string, BoardId>, Conflict> conflicts_;
  std::vector<BoardId> displaced_;      // another board stands where this one stood: looked at when the page is read
  std::optional<Timestamp> last_look_;  // of notice_silence()
  Timestamp watching_since_{};          // without a break; nobody was asked before
};

}  // namespace ghm::fleet
