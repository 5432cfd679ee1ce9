#include "store/requests.h"

#include "base/text.h"
#include "store/own.h"
#include "store/private_directory.h"
#include "x509/key.h"

namespace certrebind {

namespace {

Done remove_parts(Files& files, const OpenRequest& request) {
  return remove_private_files(files, request.home(),
                              {file_name(request.csr_path()), file_name(request.key_path())});
}

}  // namespace

std::vector<OpenRequest> open_requests(const Files& files, const std::string& directory) {
  std::vector<OpenRequest> found;
  auto names = files.list(directory);
  if (!names) return found;
  for (const std::string& name : *names)
    if (OpenRequest request{directory, name};
        check_own_name(name) && files.lstat(request.csr_path()))
      found.push_back(std::move(request));
  return found;
}

Done write_request(Files& files, const OpenRequest& request, const NewRequest& made) {
  if (Done named = check_own_name(request.name); !named) return named;
  if (files.lstat(request.csr_path()))
    return fail(
        Code::exists, "request", request.name, "there is an open request of this name",
        "certrebind requests --remove " + request.name + ", or give another name with --name");
  if (Done made_it = make_private_directory(files, request.directory); !made_it) return made_it;
  if (Done removed = remove_parts(files, request); !removed) return removed;
  if (Done key = write_private_files(files, request.home(), {{"/privkey.pem", made.key_pem}}); !key)
    return key;
  if (Done csr = files.create(request.csr_path(), made.csr_pem, {}); !csr) return csr;
  return files.sync({request.csr_path(), request.home(), request.directory});
}

Done remove_request(Files& files, const OpenRequest& request) {
  if (Done removed = remove_parts(files, request); !removed) return removed;
  return files.sync({request.directory});
}

std::optional<MatchingRequest> request_for(const Files& files, const std::string& directory,
                                           const Certificate& leaf) {
  for (const OpenRequest& request : open_requests(files, directory)) {
    auto key = files.read(request.key_path(), kPemLimit);
    if (key && key_state(*key, leaf) == KeyState::matches)
      return MatchingRequest{request, std::move(*key)};
  }
  return std::nullopt;
}

}  // namespace certrebind
