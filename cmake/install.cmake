# What others build against: the CMake package `selenite` and the pkg-config file, both relative to
# where they lie, so that an installed tree can be moved. Headers, libraries, plugins and Lua files
# are installed where they are built.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/selenite)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/cmake/seleniteConfigVersion.cmake
  VERSION ${SEL_VERSION} COMPATIBILITY SameMinorVersion)
install(EXPORT selenite NAMESPACE selenite:: FILE seleniteTargets.cmake DESTINATION ${package_dir})
install(FILES ${CMAKE_CURRENT_LIST_DIR}/seleniteConfig.cmake
              ${CMAKE_CURRENT_LIST_DIR}/selenite_plugin.cmake
              ${CMAKE_BINARY_DIR}/cmake/seleniteConfigVersion.cmake
        DESTINATION ${package_dir})

configure_file(${CMAKE_CURRENT_LIST_DIR}/selenite.pc.in ${CMAKE_BINARY_DIR}/cmake/selenite.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/cmake/selenite.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
