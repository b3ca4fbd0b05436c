# image.mk - what a box is made from: the Debian packages and the OCI image.
#
#   make deb    build/deb/*.deb, held to lintian
#   make oci    build/oci/, an image layout with the packages in it, made without a daemon
DEB_TREE := build/deb/jobq-$(VERSION)

.PHONY: deb
## make deb        Debian packages in build/deb: programs, library, headers, Python
deb:
	@rm -rf build/deb && mkdir -p $(DEB_TREE)
	@tar -c --exclude=./build --exclude=./bin --exclude=./.git --exclude=node_modules \
		--exclude=./reports/out . | tar -x -C $(DEB_TREE)
	@cp -r live/image/debian $(DEB_TREE)/debian
	@cd $(DEB_TREE) && env -u MAKEFLAGS -u MAKELEVEL -u BUILD -u VARIANT \
		dpkg-buildpackage -b -us -uc -j2 >../build.log 2>&1 || { tail -30 ../build.log; exit 1; }
	@lintian --fail-on error,warning --allow-root build/deb/*.changes
	@ls build/deb/*.deb

.PHONY: oci
## make oci        an OCI image of the drainer in build/oci, made without a daemon
oci: deb
	@live/image/oci.sh build/deb build/oci $(VERSION)
