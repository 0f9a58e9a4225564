// Any bytes may stand in a record of the quarantine: it is read, or passed over and counted. What was read can be listed,
// and what is removed is written so that it reads again.
#include <cstdint>
#include <cstdlib>

#include "pipeline/quarantine.h"

namespace {

using namespace ghm;

/// One record under the key that is asked for.
struct OneRecord final : store::RecordStore {
  store::Record record;
  Result<void> put(std::span<const store::Record>) override { return {}; }
  Result<std::optional<store::Record>> get(std::string_view, std::string_view) const override { return std::optional<store::Record>(); }
  Result<std::vector<store::Record>> scan(std::string_view, std::string_view prefix, std::string_view after, std::size_t) const override {
    return record.key.starts_with(prefix) && after.empty() ? std::vector{record} : std::vector<store::Record>();
  }
  Result<std::vector<store::Record>> recent(std::string_view, TimeRange, std::size_t) const override {
    return std::vector<store::Record>();
  }
  Result<bool> erase(std::string_view, std::string_view) override { return false; }
};

void read_again(pipeline::Quarantine& quarantine, Timestamp now) {
  const auto all = quarantine.select({});
  if (all.size() < 2) return;
  OneRecord written;
  const std::uint64_t gone = all.front().id;
  quarantine.remove(std::span(&gone, 1), [&](std::vector<store::Record> records) {
    written.record = records.front();
    return true;
  });
  pipeline::Quarantine again;
  const auto unreadable = again.restore(written, now);
  if (!unreadable || *unreadable != 0 || again.select({}).size() != quarantine.select({}).size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto now = from_unix_ms(1'770'000'000'000);
  for (const char* key : {"b/000001", "t/h1:9400"}) {
    OneRecord store;
    store.record = {"quarantine", key, now, std::string(reinterpret_cast<const char*>(data), size)};
    pipeline::Quarantine quarantine;
    if (!quarantine.restore(store, now)) std::abort();
    if (quarantine.list({.limit = 10}).items.size() > 10) std::abort();
    read_again(quarantine, now);
  }
  return 0;
}
